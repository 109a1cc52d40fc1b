/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of messages, the versions and the deadline; pixels by descriptor or, through tiles, as bytes. */
#include "agent/viewer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/tiles.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#define HELLO_MS 5000
#define TEXT_MAX (1024 * 1024)

struct viewer {
	struct link_channel *link;
	const struct viewer_events *events;
	void *arg;
	struct pst_timer *timer;
	struct tiles *tiles; /* NULL where the worker maps our memory */
	struct pixmap screen;
	struct pst_buf text;
	uint32_t serial, sequence; /* of the last surface and damage */
	uint16_t version;
	bool is_attached;
};

static void viewer_free(void *arg)
{
	struct viewer *v = arg;

	tiles_destroy(v->tiles);
	pst_buf_finish(&v->text);
	pst_timer_destroy(v->timer);
	free(v);
}

/* We may be deep in one of our own callbacks, so the memory goes in the next turn. */
static void viewer_release(struct viewer *v)
{
	if (!v->link)
		return;
	v->link = NULL;
	pst_timer_start(v->timer, 0, viewer_free, v);
}

void viewer_end(struct viewer *v, int code, const char *reason)
{
	if (!v || !v->link)
		return;

	link_channel_send_bye(v->link, code, reason);
	link_channel_close_flush(v->link);
	viewer_release(v);
}

static void fail(struct viewer *v, int code, const char *reason)
{
	v->events->ended(v, reason, v->arg);
	viewer_end(v, code, reason);
}

static void on_deadline(void *arg)
{
	fail(arg, PST_ETIMEOUT, "the worker did not say hello in time");
}

static void on_hello(struct viewer *v, const struct link_message *m)
{
	if (m->hello.version_min > LINK_VERSION || m->hello.version_max < LINK_VERSION_OLDEST) {
		fail(v, PST_EUNSUPPORTED,
			"this desktop's agent speaks versions 1 and 2 of the display link only: upgrade both");
		return;
	}
	v->version = PST_MIN(m->hello.version_max, (uint16_t)LINK_VERSION);
	if (m->flags & LINK_FLAG_PIXELS) {
		v->tiles = tiles_create(v->link);
		if (!v->tiles) {
			fail(v, PST_ENOMEM, "the desktop is out of memory");
			return;
		}
	}
	struct viewer_hello hello = { m->hello.grant, m->hello.grant_len, m->hello.width, m->hello.height };
	v->events->hello(v, &hello, v->arg);
}

static void on_clipboard(struct viewer *v, const struct link_message *m)
{
	if (pst_buf_append(&v->text, m->clipboard.bytes, m->clipboard.len) < 0) {
		fail(v, PST_ELIMIT, "the worker sent a clipboard above its ceiling");
		return;
	}
	if (!(m->flags & LINK_FLAG_LAST))
		return;
	if (pst_utf8_valid((const char *)v->text.data, v->text.len))
		v->events->clipboard(v, (const char *)v->text.data, v->text.len, v->arg);
	pst_buf_reset(&v->text);
}

static void on_attached_message(struct viewer *v, const struct link_message *m)
{
	switch (m->type) {
	case LINK_INPUT:
		v->events->input(v, &m->input, v->arg);
		break;
	case LINK_RESIZE:
		v->events->resize(v, m->resize.width, m->resize.height, v->arg);
		break;
	case LINK_READY:
		/* A READY for an older surface's damage says nothing about the present one. */
		if (m->ready.sequence == v->sequence)
			v->events->ready(v, v->arg);
		break;
	case LINK_CLIPBOARD:
		on_clipboard(v, m);
		break;
	default:
		fail(v, PST_EPROTO, "the worker broke the order of messages");
		break;
	}
}

static void on_message(struct link_channel *ch, const struct link_message *m, int fd, void *arg)
{
	struct viewer *v = arg;

	if (!v->link)
		return;
	if (m->type == LINK_BYE) {
		v->events->ended(v, "the viewer left", v->arg);
		link_channel_close(v->link);
		viewer_release(v);
	} else if (v->is_attached) {
		on_attached_message(v, m);
	} else if (m->type == LINK_HELLO) {
		on_hello(v, m);
	} else {
		fail(v, PST_EPROTO, "the worker did not say hello");
	}
}

static void on_closed(struct link_channel *ch, int code, const char *reason, void *arg)
{
	struct viewer *v = arg;

	if (!v->link)
		return;
	v->events->ended(v, code == PST_ECLOSED ? "the worker went away" : reason, v->arg);
	link_channel_close(v->link);
	viewer_release(v);
}

static void on_drained(struct link_channel *ch, void *arg)
{
	struct viewer *v = arg;

	if (v->link && v->tiles)
		tiles_pump(v->tiles);
}

static const struct link_channel_events link_events = {
	.message = on_message,
	.closed = on_closed,
	.drained = on_drained,
};

struct viewer *viewer_create(
	uv_loop_t *loop, int fd, const struct viewer_events *events, void *arg, struct pst_err *err)
{
	struct viewer *v = pst_zalloc(1, sizeof(*v));
	if (!v || !(v->timer = pst_timer_create(loop))) {
		free(v);
		close(fd);
		pst_err_set(err, PST_ENOMEM, "no memory for a viewer");
		return NULL;
	}

	v->events = events;
	v->arg = arg;
	pst_buf_init(&v->text, TEXT_MAX);
	v->link = link_channel_create(loop, fd, LINK_AGENT, &link_events, v, err);
	if (!v->link) {
		viewer_free(v);
		return NULL;
	}
	pst_timer_start(v->timer, HELLO_MS, on_deadline, v);
	return v;
}

void viewer_admit(struct viewer *v, uint16_t max_width, uint16_t max_height)
{
	struct link_message m = { .type = LINK_WELCOME, .flags = v->tiles ? LINK_FLAG_PIXELS : 0 };

	m.welcome.version = v->version;
	m.welcome.max_width = max_width;
	m.welcome.max_height = max_height;
	pst_timer_stop(v->timer);
	v->is_attached = true;
	link_channel_send(v->link, &m, -1);
}

void viewer_surface(struct viewer *v, const struct store *store)
{
	struct link_message m = { .type = LINK_SURFACE, .flags = v->tiles ? 0 : LINK_FLAG_FD };

	if (!v->link)
		return;
	v->screen = store->view;
	m.surface.serial = ++v->serial;
	m.surface.width = (uint16_t)store->view.width;
	m.surface.height = (uint16_t)store->view.height;
	m.surface.stride = v->tiles ? (uint32_t)store->view.width * 4 : store->view.stride;
	m.surface.format = LINK_FORMAT_BGRX;
	m.surface.offset = v->tiles ? 0 : store->offset;
	m.surface.size = v->tiles ? (uint64_t)m.surface.stride * m.surface.height : store->size;
	link_channel_send(v->link, &m, v->tiles ? -1 : store->fd);
}

void viewer_damage(struct viewer *v, const struct rect *rects, size_t n)
{
	struct link_message m = { .type = LINK_DAMAGE };

	if (!v->link || n == 0 || n > LINK_RECTS_MAX)
		return;
	v->sequence++;
	if (v->tiles) {
		tiles_begin(v->tiles, &v->screen, rects, n, v->sequence);
		return;
	}
	m.damage.sequence = v->sequence;
	m.damage.n = (uint16_t)n;
	memcpy(m.damage.rects, rects, n * sizeof(*rects));
	link_channel_send(v->link, &m, -1);
}

void viewer_cursor(struct viewer *v, const struct cursor_image *image)
{
	struct link_message m = { .type = LINK_CURSOR };

	m.cursor.w = image->w;
	m.cursor.h = image->h;
	m.cursor.hot_x = image->hot_x;
	m.cursor.hot_y = image->hot_y;
	m.cursor.pixels = (const uint8_t *)image->pixels;
	if (v->link)
		link_channel_send(v->link, &m, -1);
}

void viewer_pointer_moved(struct viewer *v, int32_t x, int32_t y)
{
	struct link_message m = { .type = LINK_POINTER_MOVED };

	m.pointer.x = x;
	m.pointer.y = y;
	if (v->link)
		link_channel_send(v->link, &m, -1);
}

void viewer_clipboard(struct viewer *v, const char *utf8, size_t len)
{
	if (v->link)
		link_channel_send_text(v->link, utf8, len);
}

void viewer_bell(struct viewer *v)
{
	struct link_message m = { .type = LINK_BELL };

	if (v->link)
		link_channel_send(v->link, &m, -1);
}

void viewer_pause(struct viewer *v, bool is_paused)
{
	if (v->link)
		link_channel_pause(v->link, is_paused);
}
