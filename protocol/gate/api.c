/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forwards /api/v1 to the broker. */
#include "protocol/gate/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/http_conn.h"

#define CALL_MS 75000 /* the broker's own deadlines are shorter; a stream's heart beats start it anew */
#define VALUE_MAX 8192

/* What the broker may see of a request, and what it may add to an answer. */
static const char *const request_fields[] = {
	"cookie", "authorization", "x-csrf-token", "origin", "host", "content-type", "idempotency-key", "accept", "accept-language", "last-event-id",
	"if-match",
};
static const char *const reply_fields[] = {
	"set-cookie", "location", "retry-after", "etag", "www-authenticate", "content-disposition", "link", "vary", "x-request-id", "deprecation", "allow",
};

struct api_request {
	struct http_conn *conn;
	struct broker_call *call;
	bool has_begun;
};

static json_t *request_headers(const struct http_head *h)
{
	json_t *headers = json_object();

	for (size_t i = 0; i < PST_ARRAY_LEN(request_fields); i++) {
		const char *value = http_head_get(h, request_fields[i]);

		if (value && pst_utf8_valid(value, strlen(value)))
			json_object_set_new(headers, request_fields[i], json_string(value));
	}
	return headers;
}

/* NULL when the body is not UTF-8 without NUL. */
static json_t *request_message(const struct http_conn *c)
{
	const struct http_head *h = http_conn_head(c);
	size_t len;
	const uint8_t *body = http_conn_body(c, &len);
	json_t *msg;

	if (len && (memchr(body, 0, len) || !pst_utf8_valid((const char *)body, len)))
		return NULL;
	msg = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s}", "op", "api", "method", http_method_name(h->method), "path", h->path, "query", h->query,
			"headers", request_headers(h), "remote", http_conn_remote(c));
	if (msg)
		json_object_set_new(msg, "body", json_stringn(len ? (const char *)body : "", len));
	return msg;
}

static void add_field(struct pst_buf *b, const char *name, json_t *value)
{
	json_t *item;
	size_t i;

	if (json_is_string(value))
		http_reply_field(b, name, json_string_value(value));
	else if (json_is_integer(value))
		pst_buf_printf(b, "%s: %lld\r\n", name, (long long)json_integer_value(value));
	json_array_foreach (value, i, item)
		if (json_is_string(item))
			http_reply_field(b, name, json_string_value(item));
}

/* Status and headers of the broker's answer; length may be HTTP_LENGTH_UNKNOWN. */
static void begin(struct api_request *a, const json_t *msg, uint64_t length)
{
	json_t *headers = json_object_get(msg, "headers");
	struct http_reply r = {
		.status = (int)pst_json_int(msg, "status", 200, 599, 502),
		.length = length,
		.type = pst_json_str(headers, "content-type", VALUE_MAX),
		.cache = pst_json_str(headers, "cache-control", VALUE_MAX),
	};
	struct pst_buf *b = http_conn_begin(a->conn, &r);

	for (size_t i = 0; i < PST_ARRAY_LEN(reply_fields); i++)
		add_field(b, reply_fields[i], json_object_get(headers, reply_fields[i]));
	a->has_begun = true;
}

static void broker_away(struct http_conn *c, const struct pst_err *err)
{
	if (err->code == PST_ETIMEOUT)
		http_conn_problem(c, 504, "broker_slow", "The broker did not answer in time. Try again in a moment; if it lasts, look at its log.",
				  "El servicio central no ha respondido a tiempo. Inténtelo de nuevo en un momento; si persiste, revise su registro.", 5);
	else
		http_conn_problem(c, 503, "broker_away",
				  "The broker is being restarted or is not running. Open desktops go on; log-in works again as soon as it is back.",
				  "El servicio central se está reiniciando o no está en marcha. Los escritorios abiertos siguen; el acceso volverá en cuanto arranque.",
				  3);
}

static void refused(struct http_conn *c, json_t *error)
{
	int status = (int)pst_json_int(error, "status", 400, 599, 502);
	const char *code = pst_json_str(error, "code", 64), *title = pst_json_str(error, "title", 1024);
	const char *title_es = pst_json_str(error, "title_es", 1024);

	http_conn_problem(c, status, code ? code : "broker_error", title ? title : "The broker could not do this.",
			  title_es ? title_es : title ? title : "El servicio central no ha podido hacerlo.",
			  (uint32_t)pst_json_int(error, "retry_after", 0, 86400, 0));
}

static void on_done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct api_request *a = arg;
	struct http_conn *c = a->conn;
	const char *body;

	if (fd >= 0)
		pst_fd_close(&fd);
	http_conn_set_handler(c, NULL, NULL);
	if (a->has_begun) {
		/* The end of an event stream: in good order, or cut so that the client comes again. */
		if (reply)
			http_conn_done(c);
		else
			http_conn_abort(c);
	} else if (!reply) {
		broker_away(c, err);
	} else if (json_object_get(reply, "error")) {
		refused(c, json_object_get(reply, "error"));
	} else {
		json_t *text = json_object_get(reply, "body");
		size_t len = json_string_length(text);

		body = json_is_string(text) ? json_string_value(text) : "";
		begin(a, reply, json_is_string(text) ? len : 0);
		if (http_conn_write(c, body, json_is_string(text) ? len : 0) < 0)
			http_conn_abort(c);
		else
			http_conn_done(c);
	}
	free(a);
}

static void on_gone(void *arg)
{
	struct api_request *a = arg;

	broker_call_cancel(a->call);
	free(a);
}

static void on_progress(json_t *msg, int fd, void *arg)
{
	struct api_request *a = arg;
	json_t *data = json_object_get(msg, "data");

	if (fd >= 0)
		pst_fd_close(&fd);
	if (!a->has_begun)
		begin(a, msg, HTTP_LENGTH_UNKNOWN);
	/* A client that does not read fills the bounded queue and is cut off; it comes back with Last-Event-ID. */
	if (http_conn_write(a->conn, json_is_string(data) ? json_string_value(data) : "", json_string_length(data)) < 0) {
		struct http_conn *c = a->conn;

		on_gone(a);
		http_conn_abort(c);
	}
}

void api_forward(struct http_conn *c)
{
	struct api_request *a = calloc(1, sizeof(*a));
	json_t *msg = request_message(c);

	if (!msg) {
		free(a);
		http_conn_problem(c, 400, "bad_body", "The body of the request is not UTF-8 text.", "El cuerpo de la petición no es texto UTF-8.", 0);
		return;
	}
	if (a) {
		a->conn = c;
		a->call = broker_call(http_conn_gate(c)->broker, msg, CALL_MS, http_method_is_safe(http_conn_head(c)->method), on_progress, on_done, a);
	} else {
		json_decref(msg);
	}
	if (!a || !a->call) {
		free(a);
		http_conn_problem(c, 503, "gateway_busy", "The gateway has too much to do. Try again in a moment.",
				  "La pasarela tiene demasiado trabajo. Inténtelo de nuevo en un momento.", 5);
		return;
	}
	http_conn_set_handler(c, on_gone, a);
}
