/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTPS connection: reads requests one after the other with deadlines and ceilings, hands each to http_route, writes its answer. A
 * handler answers at once or later; http_conn_done ends the request either way. Loop thread only.
 */
#pragma once

#include <uv.h>

#include "base/buf.h"
#include "protocol/gate/http_head.h"
#include "protocol/gate/http_reply.h"
#include "protocol/gate/limits.h"
#include "protocol/gate/webfile.h"

struct gate;
struct http_conn;
struct stream;

/* Takes fd; the connection is already counted as half-open in the gate's limits. Negative: fd is closed and the count given back. */
int http_conn_create(struct gate *g, int fd, const struct limits_key *key, const char *remote);
/* Ends every connection of the gate, for its stop. */
void http_conn_close_all(struct gate *g);

struct gate *http_conn_gate(const struct http_conn *c);
const struct http_head *http_conn_head(const struct http_conn *c);
const char *http_conn_remote(const struct http_conn *c);
const struct limits_key *http_conn_key(const struct http_conn *c);
/* The body, whole; borrowed while the handler is first called. */
const uint8_t *http_conn_body(const struct http_conn *c, size_t *ret_len);

/* Who answers later: gone is called when the client leaves first. NULL clears it. */
void http_conn_set_handler(struct http_conn *c, void (*gone)(void *arg), void *arg);

/* A whole answer. */
void http_conn_reply(struct http_conn *c, struct http_reply *r, const void *body, size_t len);
/* A problem document in both languages. */
void http_conn_problem(struct http_conn *c, int status, const char *code, const char *title_en, const char *title_es, uint32_t retry_after);
/* Answers with the file; takes file->fd. */
void http_conn_file(struct http_conn *c, struct http_reply *r, struct webfile *file);

/* In pieces: begin (fields may be added to the buffer), body any number of times, done. PST_ELIMIT: the client does not read; end it. */
struct pst_buf *http_conn_begin(struct http_conn *c, struct http_reply *r);
int http_conn_write(struct http_conn *c, const void *data, size_t len);
void http_conn_done(struct http_conn *c);
/* Breaks the connection off, for a client that does not read. */
void http_conn_abort(struct http_conn *c);

/*
 * Gives the stream away for another protocol (WebSocket): the connection object is gone, its count in the limits goes to the caller.
 * ret_rest (initialised by this) gets the bytes that came after the request; the caller finishes it.
 */
struct stream *http_conn_detach(struct http_conn *c, struct pst_buf *ret_rest);

/* As intake_oldest_ms and intake_drop_oldest, for connections that have not sent a whole request yet. */
uint64_t http_conn_oldest_ms(const struct gate *g);
void http_conn_drop_oldest(struct gate *g);

/* http_route.c: a whole request came. */
void http_route(struct http_conn *c);
