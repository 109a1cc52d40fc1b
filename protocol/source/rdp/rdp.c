/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An RDP client as a source. */
#include "protocol/source/rdp/rdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "protocol/source/rdp/client.h"

#define BEGIN_MS 30 /* for the viewer's keyboard to be known: a server is told it once */
#define FIRST_PICTURE_MS 25000
#define STUCK_MS 15000 /* so long nothing of what the viewer does was taken */
#define WIDTH 1280     /* of a viewer without a wish */
#define HEIGHT 800

struct rdp_source {
	struct source base;
	const struct source_events *events;
	void *arg;
	uv_async_t bell;
	struct pst_timer *begin, *deadline, *stuck;
	struct rdp_mailbox *box;
	struct rdp_client *client; /* NULL before it begins */
	struct rdp_account account; /* …and afterwards it is the client's */
	int fd;
	int32_t width, height;
	char layout[INPUT_LAYOUT_MAX];
	struct rdp_screen *screen; /* shown */
	unsigned taken;            /* orders, when the last timer began */
	bool is_over;
};

static struct rdp_source *rdp_of(struct source *s)
{
	return pst_container_of(s, struct rdp_source, base);
}

static void over(struct rdp_source *r, int code, const char *words)
{
	char reason[600];

	if (r->is_over)
		return;
	r->is_over = true;
	pst_timer_stop(r->deadline);
	pst_timer_stop(r->stuck);
	snprintf(reason, sizeof(reason), "The machine's screen cannot be shown: %s", words);
	r->events->closed(r->arg, code, code ? reason : "");
}

/* --- news ------------------------------------------------------------------------------------ */

/* FreeRDP's thread paints in the newest one until it has ended, whoever looks: it stays ours. Returns the one before, owned. */
static struct rdp_screen *keep(struct rdp_source *r, struct rdp_news *n)
{
	struct rdp_screen *old = r->screen;

	r->screen = n->screen;
	n->screen = NULL;
	return old;
}

static void show(struct rdp_source *r, struct rdp_news *n)
{
	struct rdp_screen *old = keep(r, n);

	pst_timer_stop(r->deadline);
	r->events->surface(r->arg, &r->screen->view);
	rdp_screen_destroy(old);
}

static void tell(struct rdp_source *r, struct rdp_news *n)
{
	if (n->screen)
		show(r, n);
	if (n->has_cursor) {
		n->cursor.pixels = n->pixels;
		r->events->cursor(r->arg, &n->cursor);
	}
	if (n->damage.len > 0 && r->screen)
		r->events->damage(r->arg, n->damage.rects, n->damage.len);
	if (n->has_position)
		r->events->pointer_moved(r->arg, n->x, n->y);
	if (n->clipboard.utf8)
		r->events->clipboard(r->arg, n->clipboard.utf8, n->clipboard.len);
	if (n->has_end)
		over(r, n->code, n->reason);
}

static void on_bell(uv_async_t *bell)
{
	struct rdp_source *r = bell->data;
	struct rdp_news n;

	rdp_news_take(r->box, &n);
	if (!r->is_over)
		tell(r, &n);
	else if (n.screen)
		rdp_screen_destroy(keep(r, &n));
	rdp_news_finish(&n);
}

/* Of FreeRDP's thread. */
static void ring_news(void *arg)
{
	uv_async_send(&((struct rdp_source *)arg)->bell);
}

static void ring_orders(void *arg)
{
	struct rdp_source *r = arg;

	if (r->client)
		rdp_client_ring(r->client);
}

/* --- times ----------------------------------------------------------------------------------- */

static void on_late(void *arg)
{
	over(arg, PST_ETIMEOUT, "its RDP server sent no picture in time; try again, or an administrator looks whether the machine runs");
}

static void on_stuck(void *arg)
{
	struct rdp_source *r = arg;
	bool waits;

	if (rdp_orders_taken(r->box, &waits) == r->taken && waits && r->screen)
		over(r, PST_ETIMEOUT, "its RDP server takes nothing any more; was the machine stopped?");
}

static void watch(struct rdp_source *r)
{
	bool waits;

	if (r->is_over || pst_timer_is_active(r->stuck))
		return;
	r->taken = rdp_orders_taken(r->box, &waits);
	pst_timer_start(r->stuck, STUCK_MS, on_stuck, r);
}

static void on_begin(void *arg)
{
	struct rdp_source *r = arg;
	struct pst_err err = PST_ERR_INIT;
	struct rdp_client_params p = { r->fd, r->account, r->width, r->height, r->layout, r->box };

	r->client = rdp_client_start(&p, &err);
	if (!r->client) {
		over(r, err.code, err.text);
		return;
	}
	r->fd = -1;
	memset(&r->account, 0, sizeof(r->account));
	rdp_client_ring(r->client);
}

/* --- the table ------------------------------------------------------------------------------- */

static void on_bell_closed(uv_handle_t *handle)
{
	struct rdp_source *r = handle->data;

	rdp_mailbox_destroy(r->box);
	free(r);
}

static void rdp_free(struct rdp_source *r)
{
	rdp_client_stop(r->client);
	r->client = NULL;
	pst_timer_destroy(r->begin);
	pst_timer_destroy(r->deadline);
	pst_timer_destroy(r->stuck);
	rdp_account_finish(&r->account);
	rdp_screen_destroy(r->screen);
	if (r->fd >= 0)
		close(r->fd);
	uv_close((uv_handle_t *)&r->bell, on_bell_closed);
}

static struct rdp_source *rdp_new(const struct source_params *p, struct pst_err *err)
{
	struct rdp_source *r = pst_zalloc(1, sizeof(*r));

	if (!r || uv_async_init(p->loop, &r->bell, on_bell) < 0) {
		pst_err_set(err, PST_ENOMEM, "no memory for an RDP source");
		free(r);
		return NULL;
	}
	r->bell.data = r;
	r->fd = -1;
	r->box = rdp_mailbox_create(ring_orders, ring_news, r);
	r->begin = pst_timer_create(p->loop);
	r->deadline = pst_timer_create(p->loop);
	r->stuck = pst_timer_create(p->loop);
	if (!r->box || !r->begin || !r->deadline || !r->stuck) {
		pst_err_set(err, PST_ENOMEM, "no memory for an RDP source");
		rdp_free(r);
		return NULL;
	}
	return r;
}

static struct source *rdp_open(const struct source_params *p, const struct source_events *ev, void *arg, struct pst_err *err)
{
	struct rdp_source *r = p->fd >= 0 ? rdp_new(p, err) : NULL;

	if (p->fd < 0)
		pst_err_set(err, PST_EINVAL, "an RDP source needs a connection to its server");
	if (r && pst_fd_set_nonblock(p->fd, 0) < 0) {
		pst_err_sys(err, PST_EIO, errno, "the connection to the RDP server");
		rdp_free(r);
		r = NULL;
	}
	if (!r || rdp_account_parse(p->grant ? p->grant : "", &r->account, err) < 0) {
		if (p->fd >= 0)
			close(p->fd);
		if (r)
			rdp_free(r);
		return NULL;
	}
	r->base.type = &source_rdp;
	r->fd = p->fd;
	r->events = ev;
	r->arg = arg;
	r->width = p->width ? p->width : WIDTH;
	r->height = p->height ? p->height : HEIGHT;
	pst_timer_start(r->begin, BEGIN_MS, on_begin, r);
	pst_timer_start(r->deadline, FIRST_PICTURE_MS, on_late, r);
	return &r->base;
}

static int rdp_input(struct source *s, const struct input_event *ev)
{
	struct rdp_source *r = rdp_of(s);

	if (ev->kind == INPUT_LAYOUT && !r->client)
		pst_strlcpy(r->layout, sizeof(r->layout), ev->layout.name);
	if (ev->kind == INPUT_LAYOUT || ev->kind == INPUT_SCALE)
		return 0;
	watch(r);
	return rdp_order_input(r->box, ev);
}

static int rdp_resize(struct source *s, int32_t width, int32_t height)
{
	struct rdp_source *r = rdp_of(s);

	r->width = width;
	r->height = height;
	rdp_order_size(r->box, width, height);
	return 0;
}

static int rdp_clipboard(struct source *s, const char *utf8, size_t len)
{
	return rdp_order_clipboard(rdp_of(s)->box, utf8, len);
}

static void rdp_ready(struct source *s)
{
	rdp_order_ready(rdp_of(s)->box);
}

static int rdp_screen_fd(struct source *s)
{
	return rdp_of(s)->screen ? rdp_of(s)->screen->fd : -1;
}

static void rdp_close(struct source *s, const char *reason)
{
	rdp_free(rdp_of(s));
}

const struct source_type source_rdp = {
	.name = "rdp",
	.prepare = rdp_client_prepare,
	.open = rdp_open,
	.input = rdp_input,
	.resize = rdp_resize,
	.clipboard = rdp_clipboard,
	.ready = rdp_ready,
	.screen_fd = rdp_screen_fd,
	.close = rdp_close,
};
