/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The audit: rows of `events`, append only. Each holds SHA-256 over the hash before it and its
 * own fields (8-byte lengths, so no two rows read alike); a changed, cut or swapped row breaks
 * the chain at its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct pst_err;

#define AUDIT_DETAIL_MAX 4096

struct audit_row {
	int64_t seq; /* 0 in what is appended */
	int64_t time; /* wall ms */
	char actor_kind[16];
	char actor_id[37];
	char actor_name[257];
	char remote[64];
	char kind[65];
	char object_kind[33];
	char object_id[65];
	char detail[AUDIT_DETAIL_MAX]; /* a JSON object */
	uint8_t prev_hash[32], hash[32];
};

struct audit_filter {
	const char *kind;   /* a kind, or its beginning up to a dot: "login."; "" is any */
	const char *object; /* id, "" is any */
	const char *actor;  /* id, "" is any */
	int64_t after;      /* seq > after … */
	int64_t before;     /* … and seq < before (INT64_MAX: no end) */
	bool oldest_first;
};

struct audit_verdict {
	bool ok;
	int64_t events, last_seq, broken_seq;
	uint8_t last_hash[32];
	const char *what; /* how it is broken; static */
};

/* Fills seq, prev_hash and hash. Joins a transaction that is open. */
int db_audit_append(struct db *db, struct audit_row *row, struct pst_err *err);

typedef void (*db_audit_visit)(const struct audit_row *row, void *arg);

int db_audit_list(struct db *db, const struct audit_filter *f, int limit, db_audit_visit visit, void *arg,
	struct pst_err *err);
int db_audit_last(struct db *db, int64_t *ret_seq, struct pst_err *err);

/* Walks rows after state->last_seq, at most `limit` of them; call it again until *ret_done.
 * Start with a zeroed state whose ok is true. */
int db_audit_verify(struct db *db, struct audit_verdict *state, int limit, bool *ret_done, struct pst_err *err);
