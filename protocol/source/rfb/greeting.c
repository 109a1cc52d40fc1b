/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the first byte to the screen's size (RFC 6143, 7.1 to 7.3.2), and what we ask for then (7.5.1, 7.5.2).
 */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/source/rfb/client_priv.h"
#include "protocol/source/rfb/password.h"

#define REASON_MAX 300
#define NAME_MAX_BYTES (64 * 1024) /* more is no name */

static long security_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);
static long result_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);
static long init_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err);

static void put_client_init(struct rfb_client *c)
{
	pst_buf_put_u8(&c->out, c->is_shared);
}

/* "RFB 003.008\n"; an Apple says 003.889, and older ones 003.005 for 3.3. */
long rfb_version_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	unsigned major, minor;
	char text[RFB_VERSION_LEN + 1] = "";

	if (len < RFB_VERSION_LEN)
		return 0;
	memcpy(text, data, RFB_VERSION_LEN);
	if (sscanf(text, "RFB %3u.%3u", &major, &minor) != 2 || text[RFB_VERSION_LEN - 1] != '\n' ||
		major < 3)
		return pst_err_set(err, PST_EPROTO,
			"it does not speak RFB: is there another service behind this address?");
	c->minor = major > 3 || minor >= 8 ? 8 : minor == 7 ? 7 : 3;
	pst_buf_printf(&c->out, "RFB 003.%03d\n", c->minor);
	c->step = security_step;
	return RFB_VERSION_LEN;
}

/* A server's own words, as far as they can be shown. */
static long reason_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	char text[REASON_MAX + 1];
	size_t n;

	pst_cursor_init(&in, data, len);
	n = PST_MIN((size_t)pst_cursor_be32(&in), (size_t)REASON_MAX);
	if (!pst_cursor_copy(&in, text, n))
		return 0;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)text[i] < 0x20 || (uint8_t)text[i] > 0x7e)
			text[i] = ' ';
	text[n] = '\0';
	return pst_err_set(err, PST_EAUTH, "it refuses the connection: %s", n ? text : "it gives no reason");
}

static long challenge_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	uint8_t answer[RFB_CHALLENGE_LEN];

	if (len < RFB_CHALLENGE_LEN)
		return 0;
	rfb_password_answer(c->password, data, answer);
	pst_buf_append(&c->out, answer, sizeof(answer));
	c->step = result_step;
	return RFB_CHALLENGE_LEN;
}

static int choose(struct rfb_client *c, bool has_none, bool has_password, struct pst_err *err)
{
	uint8_t type = has_none ? RFB_SECURITY_NONE : RFB_SECURITY_VNC;

	if (!has_none && !has_password)
		return pst_err_set(err, PST_EUNSUPPORTED,
			"it offers neither \"None\" nor \"VNC Authentication\": turn its own TLS or log-in "
			"off");
	if (!has_none && !c->password[0])
		return pst_err_set(err, PST_EAUTH, "it wants a password, and none is set for this machine");
	if (c->minor >= 7)
		pst_buf_put_u8(&c->out, type);
	/* Before 3.8 nobody says that no password was right. */
	c->step = type == RFB_SECURITY_VNC ? challenge_step : c->minor >= 8 ? result_step : init_step;
	if (c->step == init_step)
		put_client_init(c);
	return 0;
}

/* 3.3: the server has chosen. */
static long chosen_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	uint32_t type;

	pst_cursor_init(&in, data, len);
	type = pst_cursor_be32(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	if (type == RFB_SECURITY_INVALID)
		c->step = reason_step;
	else if (choose(c, type == RFB_SECURITY_NONE, type == RFB_SECURITY_VNC, err) < 0)
		return err->code;
	return (long)in.at;
}

static long security_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	const uint8_t *types;
	uint8_t n;

	if (c->minor == 3)
		return chosen_step(c, data, len, err);
	pst_cursor_init(&in, data, len);
	n = pst_cursor_u8(&in);
	types = pst_cursor_bytes(&in, n);
	if (!pst_cursor_ok(&in))
		return 0;
	if (n == 0)
		c->step = reason_step;
	else if (choose(c, memchr(types, RFB_SECURITY_NONE, n) != NULL,
			 memchr(types, RFB_SECURITY_VNC, n) != NULL, err) < 0)
		return err->code;
	return (long)in.at;
}

static long result_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	struct pst_cursor in;
	uint32_t result;

	pst_cursor_init(&in, data, len);
	result = pst_cursor_be32(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	if (result && c->minor < 8)
		return pst_err_set(err, PST_EAUTH, "it does not take the password");
	c->step = result ? reason_step : init_step;
	if (!result)
		put_client_init(c);
	return (long)in.at;
}

/* 32 bits, of which 24 are colour: B G R X in memory. */
static void put_pixel_format(struct pst_buf *out)
{
	static const uint8_t format[] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0 };

	pst_buf_put_u8(out, RFB_SET_PIXEL_FORMAT);
	pst_buf_put_zero(out, 3);
	pst_buf_append(out, format, sizeof(format));
}

/* The first is what we like best. A near server need not pack; QEMU and others take the first that they know.
 */
static void put_encodings(const struct rfb_client *c, struct pst_buf *out)
{
	static const int32_t far[] = { RFB_COPY_RECT, RFB_TIGHT, RFB_ZRLE, RFB_TRLE, RFB_HEXTILE, RFB_RAW };
	static const int32_t near[] = { RFB_COPY_RECT, RFB_RAW, RFB_HEXTILE, RFB_TRLE, RFB_ZRLE, RFB_TIGHT };
	static const int32_t extras[] = { RFB_DESKTOP_SIZE, RFB_EXTENDED_DESKTOP_SIZE, RFB_LAST_RECT,
		RFB_ALPHA_CURSOR, RFB_CURSOR, RFB_QEMU_POINTER, RFB_QEMU_KEY };
	const int32_t *wanted = c->is_near ? near : far;

	pst_buf_put_u8(out, RFB_SET_ENCODINGS);
	pst_buf_put_zero(out, 1);
	pst_buf_put_be16(out, PST_ARRAY_LEN(far) + PST_ARRAY_LEN(extras));
	for (size_t i = 0; i < PST_ARRAY_LEN(far); i++)
		pst_buf_put_be32(out, (uint32_t)wanted[i]);
	for (size_t i = 0; i < PST_ARRAY_LEN(extras); i++)
		pst_buf_put_be32(out, (uint32_t)extras[i]);
}

static long init_step(struct rfb_client *c, const uint8_t *data, size_t len, struct pst_err *err)
{
	uint16_t width, height;
	struct pst_cursor in;
	uint32_t name;

	pst_cursor_init(&in, data, len);
	width = pst_cursor_be16(&in);
	height = pst_cursor_be16(&in);
	pst_cursor_skip(&in, 16); /* its own pixel format */
	name = pst_cursor_be32(&in);
	if (!pst_cursor_ok(&in))
		return 0;
	if (name > NAME_MAX_BYTES)
		return pst_err_set(err, PST_ELIMIT, "its name has %u bytes", name);
	if (rfb_screen_set(c, width, height, err) < 0)
		return err->code;
	put_pixel_format(&c->out);
	put_encodings(c, &c->out);
	c->is_open = c->has_credit = true;
	rfb_ask(c);
	rfb_skip(c, name, rfb_message_step);
	return (long)in.at;
}
