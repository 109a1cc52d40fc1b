/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of a hypervisor's HTTP/1.1 interface (RFC 9112), on libcurl: over a unix socket, or TLS with a
 * CA or a pinned key. Any thread, many calls at a time; each uses a connection of its own, which is kept
 * for the next. Nothing is followed (redirects, proxies), every answer has a ceiling and every call a
 * deadline. What must not be done twice goes over a fresh connection, and is sent once. What comes back is the hypervisor's word and checked by whoever reads it.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/retry.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_ANSWER_MAX (16 * 1024 * 1024)
#define HTTP_LINE_MAX (256 * 1024)
#define HTTP_HEADERS_MAX 8
#define HTTP_OWNER_SIZE 40
#define HTTP_COOKIE_SIZE 512
#define HTTP_REASON_SIZE 256

struct http;

/* Strings are copied. */
struct http_params {
	const char *socket; /* absolute path of a unix socket, or NULL */
	const char *url;    /* "https://HOST:PORT" without a path; ignored with a socket */
	const char *ca;     /* file with the authorities to believe; NULL: the system's */
	const char *pin;    /* "sha256//BASE64" of the server's public key, or NULL; without a CA it alone decides */
	const char *cert;   /* files of a client certificate and its key, or NULL */
	const char *key;
	uint64_t timeout_ms;    /* of a call that names none */
	uint64_t connect_ms;
	bool is_single;         /* a connection for each call: an answer that comes twice is never taken for the next call's */
};

struct http_request {
	const char *method; /* "GET", … */
	const char *path;   /* begins with '/', escaped, with the query */
	const json_t *json; /* the body (borrowed), or NULL */
	const void *data;   /* else these bytes, with their type */
	size_t len;
	const char *type;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value", up to the first NULL */
	const char *owner;   /* whose call this is, for http_cancel; NULL: nobody's */
	uint64_t timeout_ms; /* of all tries together; 0: the client's */
	bool repeatable;     /* doing it twice is as doing it once, so it may be tried again */
	size_t max;          /* bytes of the answer; 0: HTTP_ANSWER_MAX */
	/* A stream: each line (without its end), as it comes; false ends the call well. */
	bool (*line)(const char *line, size_t len, void *arg);
	/* A body without a ceiling, as it comes (of a good answer); false ends the call, PST_ECLOSED. Not repeatable. */
	bool (*piece)(const void *data, size_t len, void *arg);
	void *arg;
};

/* Zeroed before, and ended by http_answer_finish. */
struct http_answer {
	int status;
	json_t *json; /* owned; NULL when the body is empty or no JSON */
	char *data;   /* owned, zero-terminated; "" or NULL when empty */
	size_t len;
	char cookie[HTTP_COOKIE_SIZE]; /* "NAME=VALUE" of the first Set-Cookie (RFC 6265, 4.1.1); "" for none, or a longer one */
	char reason[HTTP_REASON_SIZE]; /* the status line's words (RFC 9112, 4), printable; cut */
};

/* Returns owned; NULL with err. Does not connect yet. */
struct http *http_create(const struct http_params *p, struct pst_err *err);

/* No call may run. Accepts NULL. */
void http_destroy(struct http *h);

/*
 * 0 with any status that came (ret is filled), or PST_ECLOSED (nobody answers, broken off, cancelled),
 * PST_ETIMEOUT, PST_ELIMIT (too large an answer), PST_EAUTH (the server is not who it should be), PST_ENOMEM.
 */
int http_call(struct http *h, const struct http_request *r, struct http_answer *ret, struct pst_err *err);

void http_answer_finish(struct http_answer *a);

/* The calls of that owner that run now end soon with PST_ECLOSED. NULL: all calls. */
void http_cancel(struct http *h, const char *owner);

/* "HOST:PORT" of its URL, borrowed. */
const char *http_host(const struct http *h);

/* A connection of its own to the same server, trusted as every other, for what is no HTTP any more. One thread at a time; h may go before it. */
struct http_stream;
/* Blocks. NULL with err. */
struct http_stream *http_stream_open(struct http *h, uint64_t timeout_ms, struct pst_err *err);
/* Bytes, 0 at its end, PST_EAGAIN, or PST_ECLOSED. Neither blocks. */
ssize_t http_stream_read(struct http_stream *s, void *out, size_t len);
ssize_t http_stream_write(struct http_stream *s, const void *data, size_t len);
int http_stream_fd(const struct http_stream *s);
/* Accepts NULL. */
void http_stream_close(struct http_stream *s);

/* PST_OK for 2xx and 304 ("it is so already"), else the code that says the same. */
int http_status_code(int status);
