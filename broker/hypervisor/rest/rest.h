/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What drivers over a hypervisor's HTTP interface share: commands with a deadline and a mark that ends them,
 * calls that carry the secret, and refusals in words. Any thread, but init and finish.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/http.h"
#include "broker/hypervisor/watches.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#define REST_AUTH_SIZE 4096
#define REST_WORDS_SIZE 400
#define REST_PATH_SIZE 2048
#define REST_NAME_SIZE 512 /* one part of a path, escaped */

struct rest_op;

struct rest_params {
	const char *what;    /* the hypervisor's name, for messages; borrowed for ever */
	const char *section; /* where messages send an administrator; copied */
	const char *auth_scheme; /* "Authorization: " and the scheme, up to the secret */
	const char *auth_file;   /* its first line is the secret; NULL: none */
	struct http_params http;
	uint64_t deadline_ms;
	/* Code and words of an answer that is no success; words of the peer may be anything printable. NULL: by the status. */
	int (*refusal)(const struct http_answer *a, char words[REST_WORDS_SIZE]);
	uv_loop_t *loop;
};

struct rest {
	const char *what;
	char section[64];
	struct http *http;
	struct watches *watches;
	char auth_file[PATH_MAX], auth_scheme[64]; /* "" without a secret */
	uint64_t deadline_ms;
	uint64_t call_ms;          /* a call at most */
	int (*refusal)(const struct http_answer *a, char words[REST_WORDS_SIZE]);
	pthread_mutex_t lock; /* guards the three below */
	char auth[REST_AUTH_SIZE]; /* a header; read again when it is refused, wiped at the end */
	struct rest_op *ops;
	bool is_closing;
	pthread_cond_t woken;
	bool is_made; /* what there is to finish */
};

/* A command of the driver's, from its begin to its end. */
struct rest_op {
	struct rest *rest;
	struct rest_op *next;
	char desktop[PST_UUID_SIZE]; /* or another word, or "" */
	uint64_t end_ms;             /* pst_mono_ms */
	int status;                  /* of the last answer; 0: none came */
	atomic_bool cancelled;
};

struct rest_call {
	const char *method;
	const json_t *json; /* borrowed */
	const void *data;   /* or bytes of that type */
	size_t len;
	const char *type;
	const char *accept; /* a header, or NULL */
	bool is_repeatable; /* once more is as once; GET, PUT and DELETE always are */
	uint64_t most_ms;   /* 0: the usual */
	bool (*line)(const char *line, size_t len, void *arg); /* as of http_request */
	void *arg;
};

/* Loop thread. finish accepts a zeroed or half-made one; no command may run. */
int rest_init(struct rest *r, const struct rest_params *p, struct pst_err *err);
void rest_finish(struct rest *r);
/* No command goes on: they end with PST_ECLOSED. May be repeated. */
void rest_shut(struct rest *r);

/* desktop: held for watches until the end; "" for a command about none, another word for a task of our own. */
void rest_begin(struct rest_op *op, struct rest *r, const char *desktop);
void rest_end(struct rest_op *op);
void rest_cancel(struct rest *r, const char *desktop);

/* 0, or PST_ECLOSED for a cancelled one, PST_ETIMEOUT when its time is over. */
int rest_check(struct rest_op *op, struct pst_err *err);
uint64_t rest_left_ms(const struct rest_op *op);
/* Waits so long, or until it is cancelled or its time over: then as rest_check. */
int rest_wait(struct rest_op *op, uint64_t ms, struct pst_err *err);

/* 0 with a success (ret is the caller's to finish), else the refusal's code. */
int rest_ask(struct rest_op *op, const struct rest_call *c, const char *path, struct http_answer *ret, struct pst_err *err);
/* The JSON of a GET's answer, of that type; owned. NULL with err. */
json_t *rest_get(struct rest_op *op, const char *path, json_type type, struct pst_err *err);

/* A WebSocket at that path, as a connection of this host (bridge.h): owned, or a negative PST_E…. */
int rest_bridge(struct rest_op *op, const char *path, const char *protocol, struct pst_err *err);

/* Was it perhaps done although there is an error? Not when it was cancelled or its time is over. */
bool rest_is_unsure(struct rest_op *op, int code);

/* A path within REST_PATH_SIZE; PST_ELIMIT. */
int rest_path(char out[REST_PATH_SIZE], struct pst_err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Printable, on one line, cut: for what a peer says. */
void rest_words(char *out, size_t size, const char *text);
