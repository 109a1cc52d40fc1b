/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker and the gate: start, log-in, grant, reports, end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "protocol/worker_priv.h"

#define AUTH_MS 25000
#define CONNECT_MS 80000
#define STATS_NS UINT64_C(5000000000)
#define GRANT_MAX 4096
#define PEM_MAX 65536

int worker_gate_grant(struct worker *w, const json_t *grant, int fd, struct pst_err *err)
{
	const json_t *policy = json_object_get(grant, "policy");
	const char *text = pst_json_str(grant, "grant", GRANT_MAX), *user = pst_json_str(grant, "user", sizeof(w->user) - 1);
	const char *pool = pst_json_str(grant, "pool", sizeof(w->pool) - 1);
	const char *kind = pst_json_str(json_object_get(grant, "endpoint"), "kind", 16);

	if (w->has_grant || !text || fd < 0) {
		pst_fd_close(&fd);
		return pst_err_set(err, PST_EPROTO, "the gate's grant is not whole");
	}
	w->grant = strdup(text);
	w->display_fd = fd;
	w->has_grant = w->grant != NULL;
	pst_strlcpy(w->user, sizeof(w->user), user ? user : "");
	pst_strlcpy(w->pool, sizeof(w->pool), pool ? pool : "");
	w->is_remote = kind && strcmp(kind, "tls") == 0;
	w->own_screen = !kind ? NULL : strcmp(kind, "rfb") == 0 ? "rfb" : strcmp(kind, "dbus") == 0 ? "dbus" : NULL;
	w->is_seat = kind && strcmp(kind, "seat") == 0;
	w->is_shared = pst_json_bool(json_object_get(grant, "endpoint"), "shared", false);
	w->policy.is_view_only = pst_json_bool(policy, "view_only", false);
	w->policy.clipboard_in = pst_json_bool(policy, "clipboard_in", false);
	w->policy.clipboard_out = pst_json_bool(policy, "clipboard_out", false);
	w->policy.max_width = (int32_t)pst_json_int(policy, "max_width", 1, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX);
	w->policy.max_height = (int32_t)pst_json_int(policy, "max_height", 1, SCREEN_SIDE_MAX, SCREEN_SIDE_MAX);
	return w->has_grant ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for a grant");
}

static void on_start(struct worker *w, json_t *msg, int fd)
{
	const json_t *tls = json_object_get(msg, "tls"), *grant = json_object_get(msg, "grant");
	const char *cert = pst_json_str(tls, "cert_pem", PEM_MAX), *key = pst_json_str(tls, "key_pem", PEM_MAX);
	const char *remote = pst_json_str(msg, "remote", sizeof(w->remote) - 1);
	struct pst_err err = PST_ERR_INIT;
	int rc = 0;

	pst_strlcpy(w->remote, sizeof(w->remote), remote ? remote : "?");
	pst_timer_stop(w->end);
	if (json_is_object(grant))
		rc = worker_gate_grant(w, grant, fd, &err);
	else
		pst_fd_close(&fd);
	if (rc == 0)
		rc = worker_front_open(w, cert, key, &err);
	if (rc < 0) {
		pst_error("worker cannot start remote=%s: %s", w->remote, err.text);
		worker_end(w, rc, "worker_failed", err.text, words_spanish(rc, err.text));
	}
}

/* The broker's reason as the front's code. */
static int end_status(const char *code)
{
	if (code && !strcmp(code, "logoff"))
		return 0;
	return code && !strcmp(code, "restart") ? FRONT_END_RESTART : PST_ECLOSED;
}

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct worker *w = arg;
	const char *op = pst_json_str(msg, "op", 16), *en = pst_json_str(msg, "reason_en", 500), *es = pst_json_str(msg, "reason_es", 500);
	const char *code = pst_json_str(msg, "code", 60);

	if (op && !strcmp(op, "start") && w->phase == WORKER_WAITING) {
		on_start(w, msg, fd);
		return;
	}
	if (op && !strcmp(op, "guest")) {
		guests_add(w, msg, fd);
		return;
	}
	pst_fd_close(&fd);
	if (op && !strcmp(op, "guest_end"))
		guests_end(w, msg);
	else if (op && !strcmp(op, "end") && !worker_is_leaving(w))
		worker_end(w, end_status(code), code ? code : "ended_by_broker", en ? en : "The session was ended.",
			   es ? es : en ? en : "La sesión ha sido terminada.");
}

static void on_ctl_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct worker *w = arg;

	w->ctl = NULL;
	worker_end(w, PST_ECLOSED, "gateway_gone", "The gateway stopped. Connect again in a moment.",
		   "La pasarela se ha detenido. Vuelva a conectar en un momento.");
}

static const struct pst_ctl_events ctl_events = { .message = on_message, .closed = on_ctl_closed };

int worker_gate_open(struct worker *w, struct pst_err *err)
{
	w->ctl = pst_ctl_create(w->params.loop, w->params.ctl_fd, &ctl_events, w);
	return w->ctl ? 0 : pst_err_set(err, PST_EIO, "descriptor 3 is no control channel of a gate");
}

/* The broker's or the channel's refusal as sentences. */
static void refusal(const json_t *reply, const struct pst_err *call_err, struct pst_err *ret)
{
	if (pst_ctl_reply_check(reply, call_err, ret) == 0)
		pst_err_set(ret, PST_EINTERNAL, "The broker's answer makes no sense.");
}

static void on_connect_progress(json_t *msg, int fd, void *arg)
{
	struct worker *w = arg;
	const char *en = pst_json_str(msg, "text_en", 500), *es = pst_json_str(msg, "text_es", 500);

	pst_fd_close(&fd);
	if (en && w->front && !worker_is_leaving(w))
		lobby_say(w, en, es);
}

static void on_connect_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct worker *w = arg;
	const json_t *error = reply ? json_object_get(reply, "error") : NULL;
	const char *es = error ? pst_json_str(error, "title_es", 500) : NULL;
	struct pst_err err = PST_ERR_INIT;

	if (worker_is_leaving(w)) {
		pst_fd_close(&fd);
		return;
	}
	if (!reply || error) {
		pst_fd_close(&fd);
		refusal(reply, call_err, &err);
		worker_end(w, err.code, pst_code_word(err.code), err.text, es ? es : words_spanish(err.code, err.text));
		return;
	}
	if (worker_gate_grant(w, reply, fd, &err) < 0) {
		worker_end(w, err.code, "bad_grant", err.text, words_spanish(err.code, err.text));
		return;
	}
	lobby_say(w, "Connecting to your desktop…", "Conectando con su escritorio…");
	worker_join(w);
}

static void connect_desktop(struct worker *w, const json_t *auth, const char *pool)
{
	const char *login = pst_json_str(auth, "login", 512);

	worker_move(w, WORKER_ASKING);
	lobby_say(w, "Looking for your desktop…", "Buscando su escritorio…");
	pst_ctl_call_progress(w->ctl, json_pack("{s:s, s:s, s:s, s:s}", "op", "connect", "login", login ? login : "", "pool", pool ? pool : "", "protocol",
						w->params.front),
			      -1, CONNECT_MS, on_connect_progress, on_connect_done, w);
}

/* The pools of the answer as entries; what they are and how they are is the broker's word. */
static size_t take_pools(struct worker *w, const json_t *pools)
{
	size_t count = PST_MIN(json_array_size(pools), (size_t)PAGE_ENTRIES_MAX);
	struct page_entry *entries = pst_zalloc(count ? count : 1, sizeof(*entries));

	for (size_t i = 0; entries && i < count; i++) {
		const json_t *pool = json_array_get(pools, i);
		const char *name = pst_json_str(pool, "name", sizeof(entries->name) - 1);
		const char *en = pst_json_str(pool, "state_en", sizeof(entries->state_en) - 1), *es = pst_json_str(pool, "state_es", sizeof(entries->state_es) - 1);

		pst_strlcpy(entries[i].name, sizeof(entries[i].name), name ? name : "?");
		pst_strlcpy(entries[i].state_en, sizeof(entries[i].state_en), en ? en : "");
		pst_strlcpy(entries[i].state_es, sizeof(entries[i].state_es), es ? es : "");
	}
	free(w->lobby.entries);
	w->lobby.entries = entries;
	return entries ? count : 0;
}

static void choose(struct worker *w, json_t *auth, const json_t *pools)
{
	const char *en = pst_json_str(auth, "text_en", 500), *es = pst_json_str(auth, "text_es", 500);

	w->auth = json_incref(auth);
	worker_move(w, WORKER_CHOOSING);
	lobby_choose(w, take_pools(w, pools), en ? en : "", es ? es : "");
}

void worker_gate_chosen(struct worker *w, size_t entry)
{
	const json_t *pool = json_array_get(json_object_get(w->auth, "pools"), entry);

	pst_timer_stop(w->end);
	connect_desktop(w, w->auth, pst_json_str(pool, "id", 64));
	json_decref(w->auth);
	w->auth = NULL;
}

/* A wrong password is refused in the protocol. Who is let in and still has no desktop reads why. */
static void auth_refused(struct worker *w, const json_t *error, const struct pst_err *err)
{
	const char *es = pst_json_str(error, "title_es", 500), *code = pst_json_str(error, "code", 60);

	if (pst_json_bool(error, "authenticated", false)) {
		w->is_let_in = true;
		front_login_result(w->front, NULL);
		worker_end(w, err->code, code ? code : "denied", err->text, es ? es : words_spanish(err->code, err->text));
		return;
	}
	front_login_result(w->front, err);
	if (++w->logins >= WORKER_LOGINS_MAX)
		worker_end(w, PST_EAUTH, "auth", err->text, words_spanish(PST_EAUTH, err->text));
}

static void on_auth_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct worker *w = arg;
	struct pst_err err = PST_ERR_INIT;
	const json_t *pools;

	pst_fd_close(&fd);
	if (worker_is_leaving(w))
		return;
	if (!reply || json_object_get(reply, "error")) {
		refusal(reply, call_err, &err);
		auth_refused(w, reply ? json_object_get(reply, "error") : NULL, &err);
		return;
	}
	w->is_let_in = true;
	front_login_result(w->front, NULL);
	if (worker_is_leaving(w))
		return;
	pools = json_object_get(reply, "pools");
	if (json_array_size(pools) > 0)
		choose(w, reply, pools);
	else
		connect_desktop(w, reply, pst_json_str(reply, "pool", 64));
	lobby_expect(w);
}

void worker_gate_auth(struct worker *w, const char *user, const char *password)
{
	if (!w->ctl || w->phase != WORKER_GREETING)
		return;
	pst_ctl_call(w->ctl, json_pack("{s:s, s:s, s:s, s:s}", "op", "auth", "protocol", w->params.front, "user", user, "password", password), AUTH_MS,
		     on_auth_done, w);
}

static json_t *stats_of(struct worker *w)
{
	struct encoder_stats e = { 0 };
	struct front_path path = { 0 };

	if (w->front)
		front_path(w->front, &path);
	if (w->picture.encoder)
		encoder_stats(w->picture.encoder, &e);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "bytes_out", (json_int_t)path.bytes_sent, "bytes_in",
			 (json_int_t)path.bytes_received, "frames", (json_int_t)path.frames_sent, "rtt_us", (json_int_t)path.rtt_us, "rate_kbps",
			 (json_int_t)path.rate_kbps, "pixels_copied", (json_int_t)e.pixels[OP_COPY], "pixels_filled", (json_int_t)e.pixels[OP_FILL],
			 "pixels_lossless", (json_int_t)e.pixels[OP_LOSSLESS], "pixels_lossy", (json_int_t)e.pixels[OP_LOSSY], "pixels_video",
			 (json_int_t)e.pixels[OP_VIDEO], "client", w->caps.client);
}

void worker_gate_report(struct worker *w, const char *event)
{
	if (!w->ctl || w->was_reported)
		return;
	w->was_reported = !strcmp(event, "ended");
	/* The session is over at once; the process that shows why stays a little longer. */
	pst_ctl_send(w->ctl, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "op", "session", "event", event, "code", w->end_code, "reason", w->end_en,
				       "reason_es", w->end_es, "lingers", w->phase == WORKER_TELLING, "stats", stats_of(w)));
}

void worker_gate_count_frame(struct worker *w, uint64_t now_ns)
{
	if (!w->was_started || now_ns - w->stats_ns < STATS_NS)
		return;
	w->stats_ns = now_ns;
	worker_gate_report(w, "stats");
}
