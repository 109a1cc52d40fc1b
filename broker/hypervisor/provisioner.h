/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The provisioner: takes the broker's commands from its control socket, runs them on the
 * drivers (blocking calls on a bounded pool of threads, one at a time for each desktop),
 * answers, and reports what machines do by themselves. Loop thread only.
 */
#pragma once

#include "broker/hypervisor/driver.h"

#define PROVISIONER_DRIVERS_MAX 8
#define PROVISIONER_JOBS_MAX 4096 /* waiting and running; more are refused as busy */
#define PROVISIONER_THREADS_MAX 16
#define PROVISIONER_SCREENS 2 /* threads beside these, for connections to screens alone: somebody waits for one */

struct provisioner;
struct storage;
struct stores;

/* socket is copied. threads: blocking calls at a time. NULL on no memory. */
struct provisioner *provisioner_create(uv_loop_t *loop, const char *socket, unsigned threads);

/* Takes d, also on failure (PST_ELIMIT, or PST_ECONFLICT for a second of that name). */
int provisioner_add(struct provisioner *p, struct driver *d, struct pst_err *err);

/* Takes s, which speaks on the same connection. Call once, before the start. */
void provisioner_set_storage(struct provisioner *p, struct storage *s);
/* image_tools.files (storage/image_job.h), arg is p. Any thread, until the storage is closed. */
int provisioner_files(void *arg, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *go_arg, struct pst_err *err);

/* Back-ups onto the datastores of set (borrowed), so many at once. Call once, before the start. */
int provisioner_set_backups(struct provisioner *p, struct stores *set, unsigned at_once, struct pst_err *err);

/* Begins to dial. Call once, after every add. */
int provisioner_start(struct provisioner *p, struct pst_err *err);

/*
 * Ends the connection and forgets waiting jobs; running ones finish first. The machines
 * stay. closed is called when everything is freed. Accepts NULL (then closed is not called).
 */
void provisioner_close(struct provisioner *p, void (*closed)(void *arg), void *arg);
