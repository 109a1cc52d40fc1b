/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Joins a source to a display link. */
#include "protocol/seat.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/ctl.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "protocol/link/channel.h"
#include "protocol/source/source.h"

#define START_MS 10000 /* for gate and worker to say what they want */
#define GOODBYE_MS 1500
#define LAST_S 10 /* then the kernel ends us, whatever a library still does */

struct seat {
	uv_loop_t *loop;
	const struct source_type *type;
	struct pst_ctl *ctl;
	struct link_channel *link;
	struct pst_timer *timer;
	struct source *source;
	char *account; /* of the machine, until the source has it */
	int fd;        /* the same */
	bool has_hello, is_over;
	int32_t width, height;
	uint32_t serial, sequence;
	struct pst_buf text;
};

/* --- the end --------------------------------------------------------------------------------- */

static void forget_account(struct seat *s)
{
	if (s->account)
		pst_wipe(s->account, strlen(s->account));
	free(s->account);
	s->account = NULL;
}

static void on_gone(void *arg)
{
	struct seat *s = arg;

	source_close(s->source, NULL);
	s->source = NULL;
	pst_loop_stop(s->loop);
	uv_stop(s->loop);
}

/* From inside any callback: the rest follows in a turn of its own. The worker is told, when there is something to tell. */
static void over(struct seat *s, int code, const char *reason)
{
	if (s->is_over)
		return;
	s->is_over = true;
	alarm(LAST_S);
	if (s->link && reason) {
		link_channel_send_bye(s->link, code, reason);
		link_channel_close_flush(s->link);
	} else {
		link_channel_close(s->link);
	}
	s->link = NULL;
	pst_timer_start(s->timer, reason ? GOODBYE_MS : 0, on_gone, s);
}

static void on_late(void *arg)
{
	over(arg, PST_ETIMEOUT, "The gateway did not say which machine is to be shown.");
}

/* --- the machine ----------------------------------------------------------------------------- */

static void tell(struct seat *s, const struct link_message *m, int fd)
{
	int rc = s->link ? link_channel_send(s->link, m, fd) : 0;

	if (rc == PST_ELIMIT)
		over(s, PST_ELIMIT, NULL); /* a worker that reads nothing has no use for words */
}

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct link_message m = { .type = LINK_SURFACE, .flags = LINK_FLAG_FD };
	struct seat *s = arg;
	int fd = source_screen_fd(s->source);

	if (fd < 0) {
		over(s, PST_EINTERNAL, "The machine's screen lies in memory that cannot be shared.");
		return;
	}
	m.surface.serial = ++s->serial;
	m.surface.width = (uint16_t)screen->width;
	m.surface.height = (uint16_t)screen->height;
	m.surface.stride = screen->stride;
	m.surface.format = LINK_FORMAT_BGRX;
	m.surface.size = (uint64_t)screen->stride * (uint64_t)screen->height;
	tell(s, &m, fd);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct link_message m = { .type = LINK_DAMAGE };
	struct seat *s = arg;

	m.damage.sequence = ++s->sequence;
	m.damage.n = (uint16_t)PST_MIN(n, (size_t)LINK_RECTS_MAX);
	memcpy(m.damage.rects, rects, m.damage.n * sizeof(*rects));
	tell(s, &m, -1);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	struct link_message m = { .type = LINK_CURSOR };

	m.cursor.w = image->w;
	m.cursor.h = image->h;
	m.cursor.hot_x = image->hot_x;
	m.cursor.hot_y = image->hot_y;
	m.cursor.pixels = (const uint8_t *)image->pixels;
	tell(arg, &m, -1);
}

static void on_pointer_moved(void *arg, int32_t x, int32_t y)
{
	struct link_message m = { .type = LINK_POINTER_MOVED };

	m.pointer.x = x;
	m.pointer.y = y;
	tell(arg, &m, -1);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	struct seat *s = arg;

	if (s->link)
		link_channel_send_text(s->link, utf8, len);
}

static void on_bell(void *arg)
{
	struct link_message m = { .type = LINK_BELL };

	tell(arg, &m, -1);
}

static void on_closed(void *arg, int code, const char *reason)
{
	over(arg, code, reason ? reason : "");
}

static const struct source_events source_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.pointer_moved = on_pointer_moved,
	.clipboard = on_clipboard,
	.bell = on_bell,
	.closed = on_closed,
};

/* As soon as the gate has said which machine and the worker that it listens. */
static void begin(struct seat *s)
{
	struct source_params p = { .loop = s->loop, .fd = s->fd, .grant = s->account, .width = s->width, .height = s->height };
	struct pst_err err = PST_ERR_INIT;

	if (!s->has_hello || !s->account || s->is_over)
		return;
	pst_timer_stop(s->timer);
	s->fd = -1;
	s->source = source_open(s->type, &p, &source_events, s, &err);
	forget_account(s);
	if (!s->source) {
		pst_err_wrap(&err, "The machine's screen cannot be shown");
		over(s, err.code, err.text);
	}
}

/* --- the gate -------------------------------------------------------------------------------- */

static void on_ctl_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct seat *s = arg;
	const char *op = pst_json_str(msg, "op", 16);
	const json_t *account = json_object_get(msg, "account");

	if (!op || strcmp(op, "start") != 0 || s->account || s->source || fd < 0 || !json_is_object(account)) {
		pst_fd_close(&fd);
		return;
	}
	s->account = pst_json_text(account, NULL);
	s->fd = fd;
	if (s->account)
		begin(s);
	else
		over(s, PST_ENOMEM, "The gateway is out of memory.");
}

/* Without a gate its spawner ends us, too. */
static void on_ctl_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	((struct seat *)arg)->ctl = NULL;
}

static const struct pst_ctl_events ctl_events = { .message = on_ctl_message, .closed = on_ctl_closed };

/* --- the worker ------------------------------------------------------------------------------ */

static void on_hello(struct seat *s, const struct link_message *m)
{
	struct link_message welcome = { .type = LINK_WELCOME };

	if (s->has_hello || m->hello.version_min > LINK_VERSION || m->hello.version_max < LINK_VERSION || (m->flags & LINK_FLAG_PIXELS)) {
		over(s, PST_EPROTO, "The gateway's programs are not of one version; an administrator restarts it.");
		return;
	}
	s->has_hello = true;
	s->width = m->hello.width;
	s->height = m->hello.height;
	welcome.welcome.version = LINK_VERSION;
	welcome.welcome.max_width = welcome.welcome.max_height = SCREEN_SIDE_MAX;
	tell(s, &welcome, -1);
	begin(s);
}

static void on_text(struct seat *s, const struct link_message *m)
{
	if (pst_buf_append(&s->text, m->clipboard.bytes, m->clipboard.len) < 0) {
		over(s, PST_ELIMIT, NULL);
		return;
	}
	if (!(m->flags & LINK_FLAG_LAST))
		return;
	source_clipboard(s->source, (const char *)s->text.data, s->text.len);
	pst_buf_reset_to(&s->text, LINK_CHUNK_MAX);
}

static void on_viewer_message(struct seat *s, const struct link_message *m)
{
	switch (m->type) {
	case LINK_INPUT:
		source_input(s->source, &m->input);
		break;
	case LINK_RESIZE:
		source_resize(s->source, m->resize.width, m->resize.height);
		break;
	case LINK_READY:
		/* One for an older surface's damage says nothing about the present one. */
		if (m->ready.sequence == s->sequence)
			source_ready(s->source);
		break;
	case LINK_CLIPBOARD:
		on_text(s, m);
		break;
	default:
		over(s, PST_EPROTO, NULL);
	}
}

static void on_link_message(struct link_channel *link, const struct link_message *m, int fd, void *arg)
{
	struct seat *s = arg;

	pst_fd_close(&fd);
	if (s->is_over)
		return;
	if (m->type == LINK_HELLO)
		on_hello(s, m);
	else if (m->type == LINK_BYE)
		over(s, 0, NULL);
	else if (s->source)
		on_viewer_message(s, m);
}

static void on_link_closed(struct link_channel *link, int code, const char *reason, void *arg)
{
	over(arg, code, NULL);
}

static const struct link_channel_events link_events = { .message = on_link_message, .closed = on_link_closed };

/* --- beginning and end ----------------------------------------------------------------------- */

struct seat *seat_create(const struct seat_params *p, struct pst_err *err)
{
	struct seat *s = pst_zalloc(1, sizeof(*s));

	if (!s) {
		close(p->ctl_fd);
		close(p->link_fd);
		pst_err_set(err, PST_ENOMEM, "no memory for a seat");
		return NULL;
	}
	s->loop = p->loop;
	s->type = source_find(p->source);
	s->fd = -1;
	pst_buf_init(&s->text, CLIPBOARD_TEXT_MAX);
	s->timer = pst_timer_create(p->loop);
	s->ctl = pst_ctl_create(p->loop, p->ctl_fd, &ctl_events, s);
	s->link = link_channel_create(p->loop, p->link_fd, LINK_AGENT, &link_events, s, err);
	if (!s->type || !s->timer || !s->ctl || !s->link) {
		pst_err_set(err, PST_EINVAL, "descriptor 3 is no control channel, or 4 no display link");
		seat_destroy(s);
		return NULL;
	}
	pst_timer_start(s->timer, START_MS, on_late, s);
	return s;
}

void seat_destroy(struct seat *s)
{
	if (!s)
		return;
	source_close(s->source, NULL);
	link_channel_close(s->link);
	pst_ctl_close(s->ctl);
	pst_timer_destroy(s->timer);
	forget_account(s);
	pst_fd_close(&s->fd);
	pst_buf_finish(&s->text);
	free(s);
}
