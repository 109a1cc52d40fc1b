/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection to QEMU's monitor: commands one after the other, each with a deadline of the monotonic clock.
 * Blocking, for a driver's jobs; one thread at a time. After PST_EPROTO, PST_ECLOSED or a timeout in the
 * middle of a message the connection is of no more use.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

struct qmp;

/* Connects to the socket at path, takes the greeting and leaves negotiation. Returns owned, NULL with err. */
struct qmp *qmp_open(const char *path, uint64_t deadline_ms, struct pst_err *err);
/* The same over a socket that is connected already; fd is taken. */
struct qmp *qmp_open_fd(int fd, uint64_t deadline_ms, struct pst_err *err);
/* Accepts NULL. */
void qmp_close(struct qmp *q);

/* Any thread, while nobody closes it: what waits for QEMU ends with PST_ECLOSED, now and later. */
void qmp_cancel(struct qmp *q);

/*
 * Takes arguments (may be NULL). ret (may be NULL) gets what was returned, owned. A refusal is PST_ECONFLICT
 * with QEMU's words; the late answer of an earlier command that timed out is skipped.
 */
int qmp_call(struct qmp *q, const char *command, json_t *arguments, json_t **ret, uint64_t deadline_ms,
	struct pst_err *err);

/*
 * Commands ([{"execute", "arguments"}, …], borrowed) one after another, until one fails; fd (-1: none, stays the caller's) goes with
 * the first. ret (may be NULL) gets an array of what they returned, owned.
 */
int qmp_call_all(struct qmp *q, const json_t *commands, int fd, json_t **ret, uint64_t deadline_ms, struct pst_err *err);

/* Asks QEMU to end, which may be before it has answered. Whether it has ended is its process's matter. */
int qmp_quit(struct qmp *q, uint64_t deadline_ms, struct pst_err *err);

/* Lends QEMU a descriptor, which stays the caller's, under a name for later commands ("fd:NAME"). */
int qmp_lend(struct qmp *q, const char *name, int fd, uint64_t deadline_ms, struct pst_err *err);

/* Waits until QEMU tells an event of that name, also one that came since the last qmp_wait of it; the reader
 * asks what is so by a command. */
int qmp_wait(struct qmp *q, const char *event, uint64_t deadline_ms, struct pst_err *err);
