/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last fence of an assignment: who may occupy this desktop. Pure decisions on a small state that the
 *caller keeps on disk; time is a parameter.
 *
 *	free ──take──► user's ──take (same user, higher epoch)──► user's ──logoff──► free
 *
 * An epoch admits once and never goes down, not even by log-off.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#define LEASE_USER_MAX 128
#define LEASE_KEY_SIZE 32
#define LEASE_EPOCH_MAX (INT64_C(1) << 53)

struct lease {
	char desktop[PST_UUID_SIZE];
	uint8_t key[LEASE_KEY_SIZE];
	bool has_key;                  /* enrolled */
	char user[LEASE_USER_MAX + 1]; /* "" when free */
	uint64_t epoch;                /* the highest that was seen */
	bool is_used;                  /* that epoch has admitted somebody */
};

/* What a good grant allows. */
struct grant {
	char user[LEASE_USER_MAX + 1];
	char session[PST_UUID_SIZE];
	uint64_t epoch;
	int64_t expires_ms; /* wall clock */
	bool clipboard_in, clipboard_out;
	uint16_t max_width, max_height;
};

/*
 * Reads a grant's text: base64url(JSON) "." base64url(HMAC-SHA-256). 0, PST_EAUTH (malformed or a bad MAC) or
 * PST_EDENIED (another desktop). Says nothing about its epoch.
 */
int grant_parse(
	const char *text, size_t len, const struct lease *lease, struct grant *ret, struct pst_err *err);

/* May this grant occupy the desktop now? 0, PST_EDENIED (expired, lower or used epoch) or PST_ECONFLICT
 * (another user's desktop). */
int lease_check(const struct lease *lease, const struct grant *g, int64_t now_ms, struct pst_err *err);

/* The grant has passed lease_check and occupies. To be kept on disk before anything is shown. */
void lease_take(struct lease *lease, const struct grant *g);

/* The broker tells an epoch: it may raise ours. True when the state changed. */
bool lease_raise(struct lease *lease, uint64_t epoch);

/* The user logged off: the next one may come. True when the state changed. */
bool lease_logoff(struct lease *lease);
