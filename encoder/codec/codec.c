/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrapper of every codec: creation, checks, and the promise that a failed call leaves the buffer as it
 * was. */
#include "encoder/codec.h"

struct codec *codec_create(const struct codec_type *type)
{
	struct codec *c = type->create();

	if (c)
		c->type = type;
	return c;
}

void codec_destroy(struct codec *c)
{
	if (c)
		c->type->destroy(c);
}

void codec_set_thrift(struct codec *c, bool is_thrifty)
{
	if (c->type->set_thrift)
		c->type->set_thrift(c, is_thrifty);
}

int codec_encode(struct codec *c, const struct pixmap *p, const struct rect *r, int quality,
	struct pst_buf *out, struct pst_err *err)
{
	const struct rect all = { 0, 0, p->width, p->height };
	size_t before = out->len;
	int rc;

	if (rect_is_empty(r) || !rect_contains(&all, r))
		return pst_err_set(err, PST_EINVAL,
			"%s: rectangle %dx%d at %d,%d is not within the %dx%d picture", c->type->name, r->w,
			r->h, r->x, r->y, p->width, p->height);
	if (quality < 0 || quality > 100)
		return pst_err_set(
			err, PST_EINVAL, "%s: quality %d is not within 0 to 100", c->type->name, quality);
	if (out->failed)
		return pst_err_set(
			err, PST_ELIMIT, "%s: the output buffer had already failed", c->type->name);

	rc = c->type->encode(c, p, r, quality, out, err);
	if (out->failed)
		rc = pst_err_set(err, PST_ELIMIT, "%s: the output passes its ceiling of %zu bytes",
			c->type->name, out->max);
	if (rc < 0)
		out->len = before;
	return rc;
}
