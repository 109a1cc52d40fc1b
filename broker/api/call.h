/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP call on its way through the API: what was asked, who asks, and the answer. Made by
 * api_handle(), given to one handler, which answers now (call_ok, call_problem, …) or sets
 * `pending` and answers later with call_finish(). Loop thread only.
 */
#pragma once

#include "base/err.h"
#include "db/login.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api;
struct api_call;
struct core_actor;

enum method { METHOD_GET, METHOD_POST, METHOD_PATCH, METHOD_PUT, METHOD_DELETE, METHOD_COUNT };

#define CALL_PATH_MAX 1024
#define CALL_QUERY_MAX 2048
#define CALL_PARAMS_MAX 3
#define CALL_PAIRS_MAX 16
#define CALL_BODY_MAX (256 * 1024)

struct call_pair {
	char *name, *value;
};

struct call_who {
	bool is_known, is_admin, by_cookie, is_system; /* system: the set-up, not a person */
	struct login_owner user;
	struct login_row login; /* by_cookie */
	char token_id[37];      /* else */
};

struct call_out {
	/* The answer; ends the call. The callee reads call->status and the rest at once. */
	void (*finish)(struct api_call *call, void *arg);
	/* A piece of a live stream; the first one goes with status and headers. */
	void (*stream)(struct api_call *call, const char *data, size_t len, void *arg);
};

struct api_call {
	struct api *api;
	enum method method;
	char path[CALL_PATH_MAX];
	char segments[CALL_PATH_MAX];         /* the path, decoded and cut: params point here */
	const char *params[CALL_PARAMS_MAX];
	char query_text[CALL_QUERY_MAX];
	struct call_pair query[CALL_PAIRS_MAX];
	size_t query_count;
	json_t *headers; /* owned */
	json_t *body;    /* owned; NULL when there was none */
	char remote[64];
	struct call_who who;

	bool pending, is_finished, is_stream;
	int status;
	const char *type; /* content-type */
	json_t *reply;    /* owned */
	const char *text; /* instead of reply; static */
	char cookie[256];    /* Set-Cookie, "" is none */
	int retry_after;     /* seconds, 0 is none */
	int64_t etag;        /* rev, 0 is none */
	const char *allow;   /* of a 405 */

	void *state;                                  /* of a handler that answers later */
	void (*cancelled)(struct api_call *call);     /* the client left; frees state */
	const struct call_out *out;                   /* NULL once the client left */
	void *out_arg;
	uint8_t request_hash[32]; /* of an Idempotency-Key */
	struct api_call *next;
};

const char *call_header(const struct api_call *call, const char *name); /* NULL: not there */
const char *call_query(const struct api_call *call, const char *name);  /* "": not there */
bool call_wants_spanish(const struct api_call *call);

/* Who did it, for the audit and for the core. */
void call_actor(const struct api_call *call, struct core_actor *ret);

/* The answers. body and value are taken. */
void call_ok(struct api_call *call, int status, json_t *body);
void call_empty(struct api_call *call);
void call_problem(struct api_call *call, const char *code, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));
/* 422, naming the field. */
void call_field(struct api_call *call, const char *field, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));
/* The problem that stands for an error of a lower floor. */
void call_error(struct api_call *call, const struct pst_err *err);
bool call_is_answered(const struct api_call *call);

/* A handler that was pending has answered. The call is gone after this. */
void call_finish(struct api_call *call);
