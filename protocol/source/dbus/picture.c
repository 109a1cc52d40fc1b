/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Screens from messages. */
#include "protocol/source/dbus/picture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "protocol/source/dbus/format.h"

static int size_check(const struct dbus_pixels *in, struct dbus_format *ret, struct pst_err *err)
{
	if (in->width < 1 || in->height < 1 || in->width > SCREEN_SIDE_MAX || in->height > SCREEN_SIDE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a picture of %lld × %lld pixels", (long long)in->width, (long long)in->height);
	if (!dbus_format_read(in->format, ret))
		return pst_err_set(err, PST_EUNSUPPORTED, "pixels of a kind (%#x) that cannot be shown", in->format);
	if (in->stride < (uint64_t)in->width * ret->bytes)
		return pst_err_set(err, PST_EPROTO, "rows that are shorter than their pixels");
	return 0;
}

/* Up to the last pixel. */
static uint64_t bytes_needed(const struct dbus_pixels *in, const struct dbus_format *f)
{
	return (uint64_t)(in->height - 1) * in->stride + (uint64_t)in->width * f->bytes;
}

static int pixels_check(const struct dbus_pixels *in, struct dbus_format *ret, struct pst_err *err)
{
	if (size_check(in, ret, err) < 0)
		return err->code;
	return bytes_needed(in, ret) <= in->len ? 0 : pst_err_set(err, PST_EPROTO, "fewer pixels than it says");
}

/* r lies on the picture; from is its first pixel. */
static void rows_put(struct dbus_picture *p, const struct rect *r, const struct dbus_format *f, const uint8_t *from, uint32_t stride)
{
	for (int32_t y = 0; y < r->h; y++)
		dbus_format_row(f, from + (size_t)y * stride, p->own + (size_t)(r->y + y) * (size_t)p->shown.width + (size_t)r->x, (size_t)r->w);
}

int dbus_picture_make(struct dbus_picture *ret, const struct dbus_pixels *in, struct pst_err *err)
{
	struct dbus_picture p = { 0 };
	struct dbus_format f;
	struct rect all;

	if (pixels_check(in, &f, err) < 0)
		return err->code;
	p.own = pst_zalloc((size_t)in->width * (size_t)in->height, sizeof(*p.own));
	if (!p.own)
		return pst_err_set(err, PST_ENOMEM, "no memory for a screen");
	p.shown = (struct pixmap){ (const uint8_t *)p.own, (int32_t)in->width, (int32_t)in->height, (uint32_t)in->width * 4 };
	all = (struct rect){ 0, 0, p.shown.width, p.shown.height };
	rows_put(&p, &all, &f, in->data, in->stride);
	*ret = p;
	return 0;
}

/* The file must really have the bytes: a mapping beyond its end would kill us at the first read. Should it be cut later, that is this viewer's end alone (worker_main.c). */
int dbus_picture_map(struct dbus_picture *ret, int fd, uint32_t offset, const struct dbus_pixels *in, struct pst_err *err)
{
	struct dbus_picture p = { 0 };
	struct dbus_format f;
	struct stat st;

	if (size_check(in, &f, err) < 0)
		return err->code;
	if (!f.is_plain || in->stride % 4 || offset % 4)
		return pst_err_set(err, PST_EUNSUPPORTED, "pixels that have to be copied");
	p.map_size = (size_t)(offset + bytes_needed(in, &f));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < p.map_size)
		return pst_err_set(err, PST_EPROTO, "memory that is smaller than its screen");
	p.map = mmap(NULL, p.map_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p.map == MAP_FAILED)
		return pst_err_set(err, PST_ENOMEM, "its screen's memory cannot be mapped");
	p.shown = (struct pixmap){ (const uint8_t *)p.map + offset, (int32_t)in->width, (int32_t)in->height, in->stride };
	*ret = p;
	return 0;
}

bool dbus_picture_fits(const struct dbus_picture *p, const struct dbus_pixels *in)
{
	return p->own && in->width == p->shown.width && in->height == p->shown.height;
}

bool dbus_picture_clip(const struct dbus_picture *p, int64_t x, int64_t y, int64_t w, int64_t h, struct rect *ret)
{
	int64_t left = PST_MAX(x, (int64_t)0), top = PST_MAX(y, (int64_t)0);
	int64_t right = PST_MIN(x + w, (int64_t)p->shown.width), bottom = PST_MIN(y + h, (int64_t)p->shown.height);

	if (!p->shown.data || w < 1 || h < 1 || right <= left || bottom <= top)
		return false;
	*ret = (struct rect){ (int32_t)left, (int32_t)top, (int32_t)(right - left), (int32_t)(bottom - top) };
	return true;
}

int dbus_picture_paint(struct dbus_picture *p, int64_t x, int64_t y, const struct dbus_pixels *in, struct rect *ret, struct pst_err *err)
{
	struct dbus_format f;

	*ret = (struct rect){ 0 };
	if (!p->own)
		return pst_err_set(err, PST_EPROTO, "a part of a picture that never came");
	if (pixels_check(in, &f, err) < 0)
		return err->code;
	if (!dbus_picture_clip(p, x, y, in->width, in->height, ret))
		return 0;
	rows_put(p, ret, &f, in->data + (size_t)(ret->y - y) * in->stride + (size_t)(ret->x - x) * f.bytes, in->stride);
	return 0;
}

void dbus_picture_finish(struct dbus_picture *p)
{
	free(p->own);
	if (p->map)
		munmap(p->map, p->map_size);
	*p = (struct dbus_picture){ 0 };
}
