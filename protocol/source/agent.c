/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The source that is a Puesto agent: the worker's side of the display link. The screen is the agent's shared
 * memory, mapped read-only, or a buffer of ours that PIXELS messages fill where memory cannot be shared.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/link/channel.h"
#include "protocol/source/agent.h"

#define WELCOME_MS 10000 /* from HELLO to the agent's answer */

struct agent_source {
	struct source base;
	const struct source_events *events;
	void *arg;
	struct link_channel *link;
	struct pst_timer *deadline;
	struct pixmap screen;
	void *map; /* what data points into: a mapping, or our own memory when is_pixels */
	size_t map_size;
	bool is_pixels, is_welcome, is_closed, is_seat;
	uint16_t version;   /* of the link, once welcome */
	uint16_t scale_pct; /* the viewer's, 0 unknown */
	uint32_t sequence;   /* of the last damage */
	struct pst_buf text; /* the clipboard's pieces */
	ZSTD_DCtx *zstd;
	uint32_t *scratch; /* one tile, or one cursor, aligned */
};

static struct agent_source *agent_of(struct source *s)
{
	return pst_container_of(s, struct agent_source, base);
}

static void agent_closed(struct agent_source *a, int code, const char *reason)
{
	if (a->is_closed)
		return;

	a->is_closed = true;
	pst_timer_stop(a->deadline);
	link_channel_close(a->link);
	a->link = NULL;
	a->events->closed(a->arg, code, reason);
}

static void screen_unmap(struct agent_source *a)
{
	if (a->is_pixels)
		free(a->map);
	else if (a->map)
		munmap(a->map, a->map_size);
	a->map = NULL;
	memset(&a->screen, 0, sizeof(a->screen));
}

/* The file must really have the bytes: a mapping beyond its end would kill us at the first read. */
static const char *screen_map(struct agent_source *a, const struct link_message *m, int fd)
{
	struct stat st;

	if (fd < 0)
		return "the agent gave a screen without its memory";
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < m->surface.size)
		return "the agent's screen memory is smaller than the screen";

	void *map = mmap(NULL, m->surface.size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "the agent's screen memory cannot be mapped";
	screen_unmap(a);
	a->map = map;
	a->map_size = m->surface.size;
	return NULL;
}

static const char *screen_alloc(struct agent_source *a, const struct link_message *m)
{
	uint64_t size = m->surface.offset + (uint64_t)m->surface.stride * m->surface.height;
	void *map = pst_zalloc(1, size);

	if (!map)
		return "no memory for the screen";
	screen_unmap(a);
	a->map = map;
	a->map_size = size;
	return NULL;
}

static const char *on_surface(struct agent_source *a, const struct link_message *m, int fd)
{
	const char *reason = a->is_pixels ? screen_alloc(a, m) : screen_map(a, m, fd);
	if (reason)
		return reason;

	a->screen.data = (const uint8_t *)a->map + m->surface.offset;
	a->screen.width = m->surface.width;
	a->screen.height = m->surface.height;
	a->screen.stride = m->surface.stride;
	a->events->surface(a->arg, &a->screen);
	return NULL;
}

static bool is_on_screen(const struct agent_source *a, const struct rect *r)
{
	return a->map && r->x + r->w <= a->screen.width && r->y + r->h <= a->screen.height;
}

static const char *on_damage(struct agent_source *a, const struct link_message *m)
{
	for (size_t i = 0; i < m->damage.n; i++)
		if (!is_on_screen(a, &m->damage.rects[i]))
			return "the agent reported damage outside its screen";

	a->sequence = m->damage.sequence;
	a->events->damage(a->arg, m->damage.rects, m->damage.n);
	return NULL;
}

static const char *on_pixels(struct agent_source *a, const struct link_message *m)
{
	const struct rect *t = &m->pixels.tile;
	size_t size = (size_t)t->w * (size_t)t->h * 4;

	if (!a->is_pixels || !is_on_screen(a, t))
		return "the agent sent pixels outside its screen";
	if (ZSTD_decompressDCtx(a->zstd, a->scratch, size, m->pixels.data, m->pixels.len) != size)
		return "the agent sent pixels that cannot be unpacked";

	uint8_t *to = (uint8_t *)a->map + (a->screen.data - (const uint8_t *)a->map);
	to += (size_t)t->y * a->screen.stride + (size_t)t->x * 4;
	for (int32_t y = 0; y < t->h; y++)
		memcpy(to + (size_t)y * a->screen.stride, a->scratch + (size_t)y * t->w, (size_t)t->w * 4);
	return NULL;
}

static const char *on_cursor(struct agent_source *a, const struct link_message *m)
{
	struct cursor_image image = { m->cursor.w, m->cursor.h, m->cursor.hot_x, m->cursor.hot_y,
		a->scratch };

	if (image.w > 0)
		memcpy(a->scratch, m->cursor.pixels, (size_t)image.w * image.h * 4);
	a->events->cursor(a->arg, &image);
	return NULL;
}

static const char *on_clipboard(struct agent_source *a, const struct link_message *m)
{
	if (pst_buf_append(&a->text, m->clipboard.bytes, m->clipboard.len) < 0)
		return "the agent sent a clipboard above its ceiling";
	if (!(m->flags & LINK_FLAG_LAST))
		return NULL;

	if (pst_utf8_valid((const char *)a->text.data, a->text.len))
		a->events->clipboard(a->arg, (const char *)a->text.data, a->text.len);
	pst_buf_reset(&a->text);
	return NULL;
}

static int agent_send(struct agent_source *a, const struct link_message *m)
{
	return a->link ? link_channel_send(a->link, m, -1) : PST_ECLOSED;
}

/* An agent from before scales would end the link for one. */
static int scale_send(struct agent_source *a, uint16_t scale_pct)
{
	struct link_message m = { .type = LINK_INPUT };

	m.input.kind = INPUT_SCALE;
	m.input.scale_pct = scale_pct;
	return a->version >= 2 ? agent_send(a, &m) : 0;
}

static const char *on_welcome(struct agent_source *a, const struct link_message *m)
{
	if (a->is_welcome || m->welcome.version < LINK_VERSION_OLDEST || m->welcome.version > LINK_VERSION)
		return "the agent speaks another version of the display link";
	if (!(m->flags & LINK_FLAG_PIXELS) == a->is_pixels)
		return "the agent chose another way to pass pixels";

	a->is_welcome = true;
	a->version = m->welcome.version;
	pst_timer_stop(a->deadline);
	if (a->scale_pct)
		scale_send(a, a->scale_pct);
	return NULL;
}

static void on_bye(struct agent_source *a, const struct link_message *m)
{
	char reason[LINK_REASON_MAX + 1] = "";

	if (m->bye.len > 0)
		memcpy(reason, m->bye.reason, m->bye.len);
	reason[m->bye.len] = 0;
	agent_closed(a, m->bye.code > 0 ? PST_EPROTO : m->bye.code, reason);
}

static const char *session_message(struct agent_source *a, const struct link_message *m, int fd)
{
	switch (m->type) {
	case LINK_SURFACE:
		return on_surface(a, m, fd);
	case LINK_DAMAGE:
		return on_damage(a, m);
	case LINK_PIXELS:
		return on_pixels(a, m);
	case LINK_CURSOR:
		return on_cursor(a, m);
	case LINK_CLIPBOARD:
		return on_clipboard(a, m);
	case LINK_POINTER_MOVED:
		a->events->pointer_moved(a->arg, m->pointer.x, m->pointer.y);
		return NULL;
	case LINK_BELL:
		a->events->bell(a->arg);
		return NULL;
	default:
		return "the agent broke the order of messages";
	}
}

static void on_message(struct link_channel *ch, const struct link_message *m, int fd, void *arg)
{
	struct agent_source *a = arg;
	const char *reason = NULL;

	if (m->type == LINK_BYE)
		on_bye(a, m);
	else if (m->type == LINK_WELCOME)
		reason = on_welcome(a, m);
	else if (!a->is_welcome)
		reason = "the agent did not say welcome";
	else
		reason = session_message(a, m, fd);
	if (fd >= 0)
		close(fd);
	if (reason)
		agent_closed(a, PST_EPROTO, reason);
}

static void on_link_closed(struct link_channel *ch, int code, const char *reason, void *arg)
{
	struct agent_source *a = arg;
	const char *gone = a->is_seat ? "the process that shows the machine's screen ended; connect again" : "the desktop's agent went away";

	agent_closed(a, code, code == PST_ECLOSED ? gone : reason);
}

static void on_deadline(void *arg)
{
	agent_closed(arg, PST_ETIMEOUT, "the desktop's agent did not answer in time");
}

static const struct link_channel_events link_events = { .message = on_message, .closed = on_link_closed };

static void agent_free(struct agent_source *a)
{
	screen_unmap(a);
	pst_timer_destroy(a->deadline);
	pst_buf_finish(&a->text);
	ZSTD_freeDCtx(a->zstd);
	free(a->scratch);
	free(a);
}

static int hello_send(struct agent_source *a, const struct source_params *p)
{
	struct link_message m = { .type = LINK_HELLO, .flags = a->is_pixels ? LINK_FLAG_PIXELS : 0 };

	m.hello.version_min = LINK_VERSION_OLDEST;
	m.hello.version_max = LINK_VERSION;
	m.hello.width = (uint16_t)PST_CLAMP(p->width, 0, SCREEN_SIDE_MAX);
	m.hello.height = (uint16_t)PST_CLAMP(p->height, 0, SCREEN_SIDE_MAX);
	m.hello.grant = p->grant;
	m.hello.grant_len = strlen(p->grant);
	return link_channel_send(a->link, &m, -1);
}

/* PUESTO_LINK_PIXELS=1 asks for bytes where memory could be shared: for tests and for the curious. */
static bool pixels_wanted(int fd)
{
	const char *force = getenv("PUESTO_LINK_PIXELS");

	return !source_fd_is_unix(fd) || (force && strcmp(force, "1") == 0);
}

static struct source *agent_open(
	const struct source_params *p, const struct source_events *ev, void *arg, struct pst_err *err)
{
	if (p->fd < 0 || !p->grant) {
		pst_err_set(err, PST_EINVAL, "an agent source needs a display link and a grant");
		return NULL;
	}
	struct agent_source *a = pst_zalloc(1, sizeof(*a));
	if (!a) {
		close(p->fd);
		pst_err_set(err, PST_ENOMEM, "no memory for a source");
		return NULL;
	}

	a->events = ev;
	a->arg = arg;
	a->is_seat = p->is_seat;
	a->is_pixels = p->is_remote || pixels_wanted(p->fd);
	pst_buf_init(&a->text, CLIPBOARD_TEXT_MAX);
	a->link = link_channel_create(p->loop, p->fd, LINK_WORKER, &link_events, a, err);
	a->deadline = pst_timer_create(p->loop);
	a->zstd = ZSTD_createDCtx();
	a->scratch = pst_zalloc((size_t)LINK_TILE_SIDE * LINK_TILE_SIDE, 4);
	if (!a->link)
		goto fail;
	if (!a->deadline || !a->zstd || !a->scratch) {
		pst_err_set(err, PST_ENOMEM, "no memory for a source");
		goto fail;
	}
	if (hello_send(a, p) < 0) {
		pst_err_set(
			err, PST_EINVAL, "the grant for the agent is longer than %d bytes", LINK_GRANT_MAX);
		goto fail;
	}
	pst_timer_start(a->deadline, WELCOME_MS, on_deadline, a);
	a->base.type = &source_agent;
	return &a->base;
fail:
	link_channel_close(a->link);
	agent_free(a);
	return NULL;
}

static int agent_input(struct source *s, const struct input_event *ev)
{
	struct agent_source *a = agent_of(s);
	struct link_message m = { .type = LINK_INPUT };

	if (ev->kind == INPUT_SCALE) {
		a->scale_pct = ev->scale_pct;
		return a->is_welcome ? scale_send(a, ev->scale_pct) : 0;
	}
	m.input = *ev;
	return agent_send(a, &m);
}

static int agent_resize(struct source *s, int32_t width, int32_t height)
{
	struct link_message m = { .type = LINK_RESIZE };

	m.resize.width = (uint16_t)PST_CLAMP(width, 1, SCREEN_SIDE_MAX);
	m.resize.height = (uint16_t)PST_CLAMP(height, 1, SCREEN_SIDE_MAX);
	return agent_send(agent_of(s), &m);
}

static int agent_clipboard(struct source *s, const char *utf8, size_t len)
{
	struct agent_source *a = agent_of(s);

	if (len > CLIPBOARD_TEXT_MAX)
		return PST_ELIMIT;
	return a->link ? link_channel_send_text(a->link, utf8, len) : PST_ECLOSED;
}

static void agent_ready(struct source *s)
{
	struct agent_source *a = agent_of(s);
	struct link_message m = { .type = LINK_READY };

	m.ready.sequence = a->sequence;
	agent_send(a, &m);
}

static void agent_close(struct source *s, const char *reason)
{
	struct agent_source *a = agent_of(s);

	if (a->link) {
		link_channel_send_bye(a->link, PST_OK, reason ? reason : "");
		link_channel_close_flush(a->link);
	}
	agent_free(a);
}

const struct source_type source_agent = {
	.name = "agent",
	.open = agent_open,
	.input = agent_input,
	.resize = agent_resize,
	.clipboard = agent_clipboard,
	.ready = agent_ready,
	.close = agent_close,
};
