/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of encodings, and those that need no file of their own. */
#include "protocol/source/rfb/decoder_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/wire.h"

/* Whole pixels of a row, as many as are there. */
static long raw_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	size_t used = 0;

	while (!d->is_done && len - used >= 4) {
		size_t n = PST_MIN((len - used) / 4, (size_t)(d->rect.w - d->x));

		memcpy(rfb_screen_at(d->screen, d->rect.x + d->x, d->rect.y + d->y), data + used, n * 4);
		used += n * 4;
		d->x += (int32_t)n;
		if (d->x < d->rect.w)
			continue;
		d->x = 0;
		d->is_done = ++d->y == d->rect.h;
	}
	return (long)used;
}

static long copy_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct rect from = d->rect;
	struct pst_cursor c;

	pst_cursor_init(&c, data, len);
	from.x = pst_cursor_be16(&c);
	from.y = pst_cursor_be16(&c);
	if (!pst_cursor_ok(&c))
		return 0;
	if (!rfb_screen_has(d->screen, &from))
		return pst_err_set(err, PST_EPROTO, "a copy from outside the screen");
	rfb_screen_copy(d->screen, &d->rect, from.x, from.y);
	d->is_done = true;
	return (long)c.at;
}

static const struct rfb_rect_type types[] = {
	{ RFB_RAW, raw_take, true },
	{ RFB_COPY_RECT, copy_take, false },
	{ RFB_HEXTILE, rfb_hextile_take, true },
	{ RFB_TRLE, rfb_trle_take, true },
	{ RFB_ZRLE, rfb_zrle_take, false },
	{ RFB_TIGHT, rfb_tight_take, false },
};

static const struct rfb_rect_type *type_find(int32_t encoding)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(types); i++)
		if (types[i].encoding == encoding)
			return &types[i];
	return NULL;
}

struct rfb_decoder *rfb_decoder_create(void)
{
	struct rfb_decoder *d = pst_zalloc(1, sizeof(*d));

	if (d)
		d->is_done = true;
	return d;
}

void rfb_decoder_destroy(struct rfb_decoder *d)
{
	if (!d)
		return;
	rfb_unpack_close(&d->zrle);
	for (size_t i = 0; i < TIGHT_STREAMS; i++)
		rfb_unpack_close(&d->tight_unpack[i]);
	free(d);
}

bool rfb_decoder_knows(int32_t encoding)
{
	return type_find(encoding) != NULL;
}

int rfb_decoder_begin(struct rfb_decoder *d, struct rfb_screen *s, const struct rect *r, int32_t encoding,
	struct pst_err *err)
{
	d->type = type_find(encoding);
	if (!d->type || !s->pixels || !rfb_screen_has(s, r))
		return pst_err_set(err, PST_EPROTO,
			"a rectangle of %d × %d pixels at %d, %d, on a screen of %d × %d", r->w, r->h, r->x,
			r->y, s->width, s->height);
	d->screen = s;
	d->rect = *r;
	d->x = d->y = 0;
	d->is_done = d->type->is_done_empty && rect_is_empty(r);
	d->palette.count = 0;
	d->background = d->foreground = 0;
	d->has_length = false;
	d->left = 0;
	d->tight.has_control = false;
	return 0;
}

long rfb_decoder_take(struct rfb_decoder *d, const uint8_t *data, size_t len, struct pst_err *err)
{
	return d->is_done ? 0 : d->type->take(d, data, len, err);
}

bool rfb_decoder_is_done(const struct rfb_decoder *d)
{
	return d->is_done;
}

struct rect rfb_decoder_tile(const struct rfb_decoder *d, int32_t side)
{
	return (struct rect){ d->rect.x + d->x, d->rect.y + d->y, PST_MIN(side, d->rect.w - d->x),
		PST_MIN(side, d->rect.h - d->y) };
}

void rfb_decoder_step(struct rfb_decoder *d, int32_t side)
{
	d->x += side;
	if (d->x < d->rect.w)
		return;
	d->x = 0;
	d->y += side;
	d->is_done = d->y >= d->rect.h;
}
