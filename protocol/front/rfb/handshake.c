/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the first byte to ServerInit (RFC 6143 §7.1–7.3): over TCP the only way in is VeNCrypt with X509Plain (TLS with our
 * certificate, then name and password); behind a redeemed ticket the security type is None, since the WebSocket is protected already.
 */
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "protocol/front/rfb/rfb_priv.h"

#define VERSION_TEXT "RFB 003.008\n"
#define VERSION_LEN 12
#define SECURITY_NONE 1
#define SECURITY_VENCRYPT 19
#define VENCRYPT_X509_PLAIN 262
#define CREDENTIAL_MAX 1024      /* bytes of a name or a password */
#define HANDSHAKE_MS 10000       /* each step of the viewer's */
#define PERSON_MS 60000          /* a step at which viewers ask a person: for an authority, for name and password */
#define LOGIN_MS 90000           /* log-in answered and first screen there */

static void on_deadline(void *arg)
{
	struct rfb *f = arg;
	rfb_fail(f, PST_ETIMEOUT, f->phase < RFB_LOGIN ? "the viewer did not finish the handshake in time" :
							 "the desktop did not become ready in time");
}

static uint64_t time_for(enum rfb_phase phase)
{
	if (phase == RFB_TLS || phase == RFB_PLAIN)
		return PERSON_MS;
	return phase < RFB_LOGIN ? HANDSHAKE_MS : LOGIN_MS;
}

static void enter(struct rfb *f, enum rfb_phase phase)
{
	f->phase = phase;
	if (phase == RFB_RUNNING)
		pst_timer_stop(f->deadline);
	else
		pst_timer_start(f->deadline, time_for(phase), on_deadline, f);
}

void rfb_handshake_start(struct rfb *f)
{
	struct pst_buf *out = rfb_stream_out(f->stream);
	if (f->is_authenticated) {
		pst_buf_put_str(out, VERSION_TEXT);
		enter(f, RFB_VERSION);
	} else {
		static const uint8_t offer[] = { 1, SECURITY_VENCRYPT };
		pst_buf_append(out, offer, sizeof(offer));
		enter(f, RFB_SECURITY);
	}
	rfb_stream_flush(f->stream);
}

static void send_result(struct rfb *f, const char *reason)
{
	struct pst_buf *out = rfb_stream_out(f->stream);
	pst_buf_put_be32(out, reason ? 1 : 0);
	if (reason) {
		pst_buf_put_be32(out, (uint32_t)strlen(reason));
		pst_buf_put_str(out, reason);
	}
	rfb_stream_flush(f->stream);
}

/* Each step: bytes used, 0 when more are needed, -1 after a failure. */
static int step_version(struct rfb *f, const uint8_t *data, size_t len)
{
	if (len < VERSION_LEN)
		return 0;
	if (memcmp(data, VERSION_TEXT, VERSION_LEN) != 0) {
		rfb_fail(f, PST_EUNSUPPORTED, "the viewer does not speak RFB 3.8");
		return -1;
	}
	static const uint8_t offer[] = { 1, SECURITY_NONE };
	pst_buf_append(rfb_stream_out(f->stream), offer, sizeof(offer));
	rfb_stream_flush(f->stream);
	enter(f, RFB_SECURITY);
	return VERSION_LEN;
}

static int step_security(struct rfb *f, const uint8_t *data, size_t len)
{
	uint8_t expected = f->is_authenticated ? SECURITY_NONE : SECURITY_VENCRYPT;
	if (data[0] != expected) {
		send_result(f, "This server takes VeNCrypt X509Plain only: choose TLS with a user name in the viewer.");
		rfb_fail(f, PST_EUNSUPPORTED, "the viewer chose another security type than the one offered");
		return -1;
	}
	if (f->is_authenticated) {
		send_result(f, NULL);
		enter(f, RFB_CLIENT_INIT);
		return 1;
	}
	static const uint8_t version[] = { 0, 2 };
	pst_buf_append(rfb_stream_out(f->stream), version, sizeof(version));
	rfb_stream_flush(f->stream);
	enter(f, RFB_VENCRYPT);
	return 1;
}

static int step_vencrypt(struct rfb *f, const uint8_t *data, size_t len)
{
	if (len < 2)
		return 0;
	struct pst_buf *out = rfb_stream_out(f->stream);
	if (data[0] != 0 || data[1] != 2) {
		pst_buf_put_u8(out, 0xff);
		rfb_stream_flush(f->stream);
		rfb_fail(f, PST_EUNSUPPORTED, "the viewer does not speak VeNCrypt 0.2");
		return -1;
	}
	pst_buf_put_u8(out, 0);
	pst_buf_put_u8(out, 1);
	pst_buf_put_be32(out, VENCRYPT_X509_PLAIN);
	rfb_stream_flush(f->stream);
	enter(f, RFB_SUBTYPE);
	return 2;
}

static int step_subtype(struct rfb *f, const uint8_t *data, size_t len)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	uint32_t subtype = pst_cursor_be32(&c);
	if (!pst_cursor_ok(&c))
		return 0;
	struct pst_buf *out = rfb_stream_out(f->stream);
	pst_buf_put_u8(out, subtype == VENCRYPT_X509_PLAIN);
	rfb_stream_flush(f->stream);
	/* The viewer waits for that byte: nothing of TLS can have been sent yet, and the byte must be gone before it. */
	if (subtype != VENCRYPT_X509_PLAIN || len > 4 || rfb_stream_queued(f->stream) > 0) {
		rfb_fail(f, PST_EPROTO, "the viewer chose another VeNCrypt type than X509Plain");
		return -1;
	}
	struct pst_err err;
	if (rfb_stream_secure(f->stream, f->cert_pem, pst_secret_str(&f->key_pem), &err) < 0) {
		rfb_fail(f, err.code, err.text);
		return -1;
	}
	enter(f, RFB_TLS);
	return 4;
}

void rfb_handshake_secured(struct rfb *f)
{
	pst_secret_finish(&f->key_pem);
	enter(f, RFB_PLAIN);
}

static int step_plain(struct rfb *f, const uint8_t *data, size_t len)
{
	struct pst_cursor c;
	pst_cursor_init(&c, data, len);
	uint32_t user_len = pst_cursor_be32(&c), password_len = pst_cursor_be32(&c);
	if (user_len > CREDENTIAL_MAX || password_len > CREDENTIAL_MAX) {
		rfb_fail(f, PST_ELIMIT, "the viewer sent a name or password that is too long");
		return -1;
	}
	const uint8_t *user = pst_cursor_bytes(&c, user_len), *password = pst_cursor_bytes(&c, password_len);
	if (!pst_cursor_ok(&c))
		return 0;

	char user_text[CREDENTIAL_MAX + 1] = "", password_text[CREDENTIAL_MAX + 1] = "";
	memcpy(user_text, user, user_len);
	memcpy(password_text, password, password_len);
	enter(f, RFB_LOGIN);
	f->ev.login(f->arg, user_text, password_text);
	pst_wipe(user_text, sizeof(user_text));
	pst_wipe(password_text, sizeof(password_text));
	return (int)(8 + user_len + password_len);
}

void rfb_handshake_login(struct rfb *f, const struct pst_err *err)
{
	if (f->phase != RFB_LOGIN)
		return;
	send_result(f, err && err->code < 0 ? err->text : NULL);
	if (err && err->code < 0)
		return rfb_fail(f, err->code, err->text);
	enter(f, RFB_CLIENT_INIT);
}

/* ClientInit is one byte, the wish to share; a desktop has one viewer for us, so it changes nothing. */
static int step_client_init(struct rfb *f, const uint8_t *data, size_t len)
{
	enter(f, RFB_SERVER_INIT);
	rfb_handshake_server_init(f);
	return 1;
}

void rfb_handshake_server_init(struct rfb *f)
{
	if (f->phase != RFB_SERVER_INIT || !f->has_surface)
		return;
	struct pst_buf *out = rfb_stream_out(f->stream);
	pst_buf_put_be16(out, (uint16_t)f->size.width);
	pst_buf_put_be16(out, (uint16_t)f->size.height);
	rfb_pixel_format_write(out, &rfb_pixel_format_native);
	pst_buf_put_be32(out, (uint32_t)strlen(f->desktop_name));
	pst_buf_put_str(out, f->desktop_name);
	rfb_stream_flush(f->stream);
	f->size.is_pending = false;
	enter(f, RFB_RUNNING);
}

void rfb_handshake_input(struct rfb *f, struct pst_buf *in)
{
	static int (*const steps[])(struct rfb *, const uint8_t *, size_t) = {
		[RFB_VERSION] = step_version,
		[RFB_SECURITY] = step_security,
		[RFB_VENCRYPT] = step_vencrypt,
		[RFB_SUBTYPE] = step_subtype,
		[RFB_PLAIN] = step_plain,
		[RFB_CLIENT_INIT] = step_client_init,
	};
	while (in->len > 0 && f->phase < PST_ARRAY_LEN(steps) && steps[f->phase]) {
		bool is_secret = f->phase == RFB_PLAIN;
		int used = steps[f->phase](f, in->data, in->len);
		if (used <= 0)
			return;
		if (is_secret)
			pst_wipe(in->data, (size_t)used);
		pst_buf_consume(in, (size_t)used);
	}
}
