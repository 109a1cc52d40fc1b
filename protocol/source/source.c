/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wrappers around the table of a source: arguments are checked here once for all of them. */
#include "protocol/source/source.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

static bool is_size(int32_t width, int32_t height)
{
	return width >= 1 && width <= SCREEN_SIDE_MAX && height >= 1 && height <= SCREEN_SIDE_MAX;
}

struct source *source_open(const struct source_type *type, const struct source_params *p, const struct source_events *ev, void *arg,
			   struct pst_err *err)
{
	if ((p->width || p->height) && !is_size(p->width, p->height)) {
		if (p->fd >= 0)
			close(p->fd);
		pst_err_set(err, PST_EINVAL, "a screen of %d × %d pixels is not possible", p->width, p->height);
		return NULL;
	}
	return type->open(p, ev, arg, err);
}

void source_prepare(const struct source_type *type)
{
	if (type->prepare)
		type->prepare();
}

int source_screen_fd(struct source *s)
{
	return s->type->screen_fd ? s->type->screen_fd(s) : -1;
}

bool source_fd_is_unix(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && addr.ss_family == AF_UNIX;
}

static bool is_input(const struct input_event *ev)
{
	switch (ev->kind) {
	case INPUT_KEY:
		return ev->key.keysym || ev->key.keycode;
	case INPUT_TEXT:
		return ev->text.len && ev->text.len <= INPUT_TEXT_MAX && pst_utf8_valid(ev->text.utf8, ev->text.len);
	case INPUT_TOUCH:
		return ev->touch.finger < INPUT_TOUCH_MAX;
	default:
		return ev->kind < INPUT_KINDS;
	}
}

int source_input(struct source *s, const struct input_event *ev)
{
	return is_input(ev) ? s->type->input(s, ev) : PST_EINVAL;
}

int source_resize(struct source *s, int32_t width, int32_t height)
{
	if (!is_size(width, height))
		return PST_EINVAL;
	return s->type->resize ? s->type->resize(s, width, height) : PST_EUNSUPPORTED;
}

int source_clipboard(struct source *s, const char *utf8, size_t len)
{
	if (len > CLIPBOARD_TEXT_MAX || !pst_utf8_valid(utf8, len))
		return PST_EINVAL;
	return s->type->clipboard ? s->type->clipboard(s, utf8, len) : PST_EUNSUPPORTED;
}

void source_ready(struct source *s)
{
	if (s->type->ready)
		s->type->ready(s);
}

int source_page(struct source *s, const struct page *p)
{
	if (p->n_entries > PAGE_ENTRIES_MAX || (p->n_entries && !p->entries))
		return PST_EINVAL;
	return s->type->page ? s->type->page(s, p) : PST_EUNSUPPORTED;
}

void source_close(struct source *s, const char *reason)
{
	if (s)
		s->type->close(s, reason);
}
