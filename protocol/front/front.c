/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wrappers around the table of a front end: defaults for what a protocol cannot do. */
#include "protocol/front/front.h"

#include <string.h>

struct front *front_open(const struct front_type *type, const struct front_params *p, const struct front_events *ev, void *arg,
			 struct pst_err *err)
{
	return type->open(p, ev, arg, err);
}

void front_login_result(struct front *f, const struct pst_err *err)
{
	if (f->type->login_result)
		f->type->login_result(f, err);
}

void front_status(struct front *f, const char *text_en, const char *text_es)
{
	if (f->type->status)
		f->type->status(f, text_en ? text_en : "", text_es ? text_es : text_en ? text_en : "");
}

int front_surface(struct front *f, int32_t width, int32_t height, struct pst_err *err)
{
	if (width < 1 || width > SCREEN_SIDE_MAX || height < 1 || height > SCREEN_SIDE_MAX)
		return pst_err_set(err, PST_EINVAL, "a screen of %d × %d pixels is not possible", width, height);
	return f->type->surface(f, width, height, err);
}

bool front_can_send(struct front *f)
{
	return f->type->can_send(f);
}

bool front_can_send_small(struct front *f)
{
	return f->type->can_send_small ? f->type->can_send_small(f) : f->type->can_send(f);
}

int front_frame(struct front *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err)
{
	return ops->len ? f->type->frame(f, ops, sent, err) : 0;
}

void front_cursor(struct front *f, const struct cursor_image *image)
{
	if (image->w <= CURSOR_SIDE_MAX && image->h <= CURSOR_SIDE_MAX && (!image->w || (image->hot_x < image->w && image->hot_y < image->h)))
		f->type->cursor(f, image);
}

void front_pointer_moved(struct front *f, int32_t x, int32_t y)
{
	if (f->type->pointer_moved)
		f->type->pointer_moved(f, x, y);
}

void front_clipboard(struct front *f, const char *utf8, size_t len)
{
	if (f->type->clipboard)
		f->type->clipboard(f, utf8, len);
}

void front_bell(struct front *f)
{
	if (f->type->bell)
		f->type->bell(f);
}

void front_watched(struct front *f, const char *names)
{
	if (f->type->watched)
		f->type->watched(f, names);
}

bool front_follow(struct front *f, struct front *follower)
{
	if (!f->type->follow || f->type != follower->type)
		return false;
	f->type->follow(f, follower);
	return true;
}

bool front_join(struct front *f, const struct pixmap *sent)
{
	return f->type->join && f->type->join(f, sent);
}

void front_path(struct front *f, struct front_path *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (f->type->path)
		f->type->path(f, ret);
}

void front_end(struct front *f, int code, const char *reason_en, const char *reason_es)
{
	f->type->end(f, code, reason_en, reason_es ? reason_es : reason_en);
}

void front_close(struct front *f)
{
	if (f)
		f->type->close(f);
}
