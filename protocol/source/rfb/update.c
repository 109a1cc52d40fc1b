/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Updates (RFC 6143, 7.6.1): their rectangles and what is no rectangle (7.8, and extensions). */
#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/client_priv.h"
#include "protocol/source/rfb/shape.h"

#define UNTIL_LAST 0xffff   /* as many rectangles as it takes, up to one that says so */
#define SHAPE_SIDE_MAX 1024 /* of a pointer that is passed over; larger ones are none */

static long rect_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);

int rfb_screen_set(struct rfb_client *c, int32_t width, int32_t height, struct pst_err *err)
{
	struct rfb_screen next;
	int rc = rfb_screen_init(&next, width, height, &c->screen);

	if (rc < 0)
		return pst_err_set(err, rc, "a screen of %d × %d pixels, where %d × %d is the most", width,
			height, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX);
	if (c->has_surface)
		c->shown = c->screen;
	else
		rfb_screen_finish(&c->screen);
	c->screen = next;
	c->has_surface = false;
	c->is_whole = false; /* what this update still brings is not all of it */
	region_clear(&c->damage);
	return 0;
}

/*
 * All of it is painted: shown, as a new screen or as what has changed. One without pixels may be the answer
 * (x11vnc) or come beside it (QEMU, TigerVNC): what is still to come is asked for again, but never all of it,
 * to which TigerVNC answers with its size, for ever.
 */
static void update_end(struct rfb_client *c)
{
	struct pixmap screen = rfb_screen_pixmap(&c->screen);

	c->step = rfb_message_step;
	c->is_asked = false;
	if (!c->has_surface && c->is_whole && c->damage.len) {
		c->has_surface = true;
		c->has_credit = false;
		c->events->surface(c->arg, &screen);
		rfb_screen_finish(&c->shown);
	} else if (c->has_surface && c->damage.len) {
		c->has_credit = false;
		c->events->damage(c->arg, c->damage.rects, c->damage.len);
	}
	region_clear(&c->damage);
	rfb_ask(c);
}

static void rect_next(struct rfb_client *c)
{
	c->step = rect_step;
	if (c->rects_left != UNTIL_LAST && --c->rects_left == 0)
		update_end(c);
}

static long body_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	long n = rfb_decoder_take(c->decoder, data, len, err);

	if (n >= 0 && rfb_decoder_is_done(c->decoder)) {
		region_add(&c->damage, &c->rect);
		rect_next(c);
	}
	return n;
}

static long shape_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	bool has_alpha = c->encoding == RFB_ALPHA_CURSOR, is_empty = rect_is_empty(&c->rect);
	size_t bytes = rfb_shape_bytes(c->rect.w, c->rect.h, has_alpha);
	struct cursor_image image = { (uint16_t)c->rect.w, (uint16_t)c->rect.h,
		(uint16_t)PST_CLAMP(c->rect.x, 0, PST_MAX(c->rect.w - 1, 0)),
		(uint16_t)PST_CLAMP(c->rect.y, 0, PST_MAX(c->rect.h - 1, 0)), c->shape };

	if (len < bytes)
		return 0;
	if (!rfb_shape_read(data, c->rect.w, c->rect.h, has_alpha, c->shape))
		return pst_err_set(err, PST_EPROTO, "a pointer shape that is packed");
	if (is_empty)
		image = (struct cursor_image){ .pixels = c->shape };
	c->events->cursor(c->arg, &image);
	rect_next(c);
	return (long)bytes;
}

static long after_shape(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	rect_next(c);
	return c->step(c, data, len, err);
}

static long shape_head(struct rfb_client *c, struct pst_err *err)
{
	if (c->rect.w > SHAPE_SIDE_MAX || c->rect.h > SHAPE_SIDE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a pointer of %d × %d pixels", c->rect.w, c->rect.h);
	c->step = shape_step;
	if (c->rect.w > CURSOR_SIDE_MAX || c->rect.h > CURSOR_SIDE_MAX)
		rfb_skip(c, rfb_shape_bytes(c->rect.w, c->rect.h, c->encoding == RFB_ALPHA_CURSOR),
			after_shape);
	return 0;
}

static int size_set(struct rfb_client *c, struct pst_err *err)
{
	if (c->rect.w == c->screen.width && c->rect.h == c->screen.height)
		return 0;
	return rfb_screen_set(c, c->rect.w, c->rect.h, err);
}

/* The parts of the screen; y is the status of what somebody asked for, 0 when it was done. */
static long screens_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	uint8_t n;

	pst_cursor_init(&in, data, len);
	n = pst_cursor_u8(&in);
	pst_cursor_skip(&in, 3);
	for (unsigned i = 0; i < n; i++) {
		uint32_t id = pst_cursor_be32(&in), flags;

		pst_cursor_skip(&in, 8);
		flags = pst_cursor_be32(&in);
		c->screen_id = i ? c->screen_id : id;
		c->screen_flags = i ? c->screen_flags : flags;
	}
	if (!pst_cursor_ok(&in))
		return 0;
	c->can_resize = true;
	if (c->rect.y == 0 && size_set(c, err) < 0)
		return err->code;
	rect_next(c);
	return (long)in.at;
}

/* What has no pixels; 0, or an error. */
static long extra_begin(struct rfb_client *c, struct pst_err *err)
{
	switch (c->encoding) {
	case RFB_CURSOR:
	case RFB_ALPHA_CURSOR:
		return shape_head(c, err);
	case RFB_EXTENDED_DESKTOP_SIZE:
		c->step = screens_step;
		return 0;
	case RFB_LAST_RECT:
		c->rects_left = 1;
		break;
	case RFB_DESKTOP_SIZE:
		if (size_set(c, err) < 0)
			return err->code;
		break;
	case RFB_QEMU_POINTER:
		rfb_typing_set_relative(&c->typing, c->rect.x == 0);
		break;
	case RFB_QEMU_KEY:
		c->typing.takes_scancodes = true;
		break;
	default:
		return pst_err_set(err, PST_EPROTO, "an encoding (%d) that was not asked for", c->encoding);
	}
	rect_next(c);
	return 0;
}

static long rect_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	long rc = 0;

	pst_cursor_init(&in, data, len);
	c->rect.x = pst_cursor_be16(&in);
	c->rect.y = pst_cursor_be16(&in);
	c->rect.w = pst_cursor_be16(&in);
	c->rect.h = pst_cursor_be16(&in);
	c->encoding = (int32_t)pst_cursor_be32(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	if (!rfb_decoder_knows(c->encoding)) {
		rc = extra_begin(c, err);
	} else {
		rc = rfb_decoder_begin(c->decoder, &c->screen, &c->rect, c->encoding, err);
		c->step = body_step;
		if (rc == 0 && rfb_decoder_is_done(c->decoder))
			rect_next(c);
	}
	return rc < 0 ? rc : (long)in.at;
}

long rfb_update_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;

	pst_cursor_init(&in, data, len);
	pst_cursor_skip(&in, 2);
	c->rects_left = pst_cursor_be16(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	region_clear(&c->damage);
	c->step = rect_step;
	if (!c->rects_left)
		update_end(c);
	return (long)in.at;
}
