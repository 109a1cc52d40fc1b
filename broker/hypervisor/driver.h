/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A provider of machines: a small table of functions with several implementations
 * (registry.h) and one contract suite in tests/unit/hypervisor for all of them.
 *
 * Blocking slots (all but open, watch, cancel and close) are called on any thread,
 * several at a time, but never two at once for the same desktop. open, watch and close
 * are called on the loop's thread, cancel on any. Every blocking slot can be repeated after
 * a crash at any point: what it does is found again by the desktop's uuid and the task's uuid.
 * Each ends by itself, at the latest with PST_ETIMEOUT after the provider's "deadline_s".
 *
 * A hypervisor that cannot be asked is no news of its machines: list then fails as a whole
 * and never leaves one out. A provider of several hosts may list those that answer: it then visits
 * each of the others as a machine without a desktop ("", MACHINE_UNKNOWN, host, reason).
 */
#pragma once

#include "base/conf.h"
#include "base/err.h"
#include "broker/hypervisor/calls.h"
#include "broker/hypervisor/driver_report.h"
#include "broker/hypervisor/machine.h"

#include <jansson.h>
#include <stddef.h>
#include <uv.h>

struct driver;

typedef void (*driver_host_cb)(const struct driver_host *h, void *arg);
typedef void (*driver_network_cb)(const struct driver_network *n, void *arg);
typedef void (*driver_visit_cb)(const struct machine *m, void *arg);

/* On the loop's thread: the machine ended by itself, reason in words. */
typedef void (*driver_ended_cb)(const char *desktop, const char *reason, void *arg);

struct driver_params {
	const char *name;     /* of this provider */
	const char *data;     /* the data directory, absolute */
	const char *libexec;  /* where Puesto's helper programs lie */
	struct pst_conf *conf;
	const char *section;  /* this provider's part of conf */
	uv_loop_t *loop;
};

struct driver_type {
	const char *kind;
	/* Returns owned, or NULL with err. May leave faults for capacity to tell. */
	struct driver *(*open)(const struct driver_params *p, struct pst_err *err);
	/*
	 * Makes the machine (on r->host, where that is not "") and fills ret. The same task again gives the same answer; a live
	 * machine of another task is PST_ECONFLICT; the remains of a dead one are replaced.
	 */
	int (*create)(struct driver *d, const struct machine_request *r, struct machine *ret,
		struct pst_err *err);
	/* Ends and removes everything of it; 0 when there was nothing. */
	int (*destroy)(struct driver *d, const char *desktop, struct pst_err *err);
	/*
	 * Ends and starts it again; refresh replaces its layers and home by new ones. Fields of
	 * r that are "" or 0 are taken from the last request. PST_ENOTFOUND without a machine.
	 */
	int (*restart)(struct driver *d, const struct machine_request *r, bool refresh,
		struct machine *ret, struct pst_err *err);
	/* Every machine of this provider, live or not. m is borrowed for the call. */
	int (*list)(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
	int (*capacity)(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
	/*
	 * Calls ended once when the machine that stands now ends by itself; soon (in a later
	 * loop turn) when it has ended already. Silent when it was destroyed. A second watch
	 * replaces the first.
	 */
	int (*watch)(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
		struct pst_err *err);
	/* Machines stay; watches end silently. No other slot may be running. */
	void (*close)(struct driver *d);

	/*
	 * The slots below may be NULL: the provider does not carry it, PST_EUNSUPPORTED. All of
	 * them are PST_ENOTFOUND without the machine, and done when that is so already.
	 */
	int (*power)(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
	/* Disk, and memory where it runs and the hypervisor can. The same name again is done. */
	int (*snapshot_take)(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
	/* PST_ENOTFOUND without that snapshot. The machine runs afterwards if it ran in it. */
	int (*snapshot_revert)(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
	/* 0 when there is none of that name. */
	int (*snapshot_drop)(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
	/* PST_EBUSY when it has to be stopped for it, PST_EINVAL for a smaller disk. */
	int (*resize)(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);
	/* To another host of this provider, running. PST_ENOTFOUND when there is no such host. */
	int (*migrate)(struct driver *d, const char *desktop, const char *host, struct pst_err *err);
	/* The machine's own screen, for administrators. is_shared: others look at it already, and are to go on. */
	int (*console)(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err);
	/*
	 * Its user's, where a server of the machine's own shows it; *ret_account is what he needs there, a secret, owned. pin: the SHA-256 of that
	 * server's certificate, in hex, as its agent says, which goes before what the provider knows; or "". NULL: the console's, without; and no
	 * machine is made that is shown by RDP.
	 */
	int (*way)(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);
	/* Each host, usable or not: r->host of create, migrate and machine.host name them. NULL: it is one host. */
	int (*hosts)(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err);
	/* Each network but "host" and "none". NULL: it has none. Does not block. */
	int (*networks)(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err);
	/*
	 * The user's disk is with that desktop, made or grown if need be; the machine runs. PST_EBUSY while another desktop
	 * has it, naming that. What was attached stays so over a restart, or is attached again by a repeated call; destroy
	 * and a refresh take it away, whatever the guest does with it.
	 */
	int (*personal_attach)(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
	/*
	 * Its guest has let go of it; PST_EBUSY when it does not. PST_EAGAIN, with what it would be told after half a minute:
	 * the guest was asked, and whoever asks again soon is told. 0 when the desktop has it not, or is no more.
	 */
	int (*personal_detach)(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
	/* Into the recycle bin for keep_ms. PST_EBUSY while a desktop has it; 0 when there is none. */
	int (*personal_remove)(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
	/* The four below go together (DRIVER_BACKUP); backup/ is who calls them. */
	int (*disk)(struct driver *d, const char *desktop, struct driver_disk *ret, struct pst_err *err);
	/* As blocks.ask of backup/blocks.h, of the QEMU that has the disk open; PST_ECONFLICT when none has. Beside other slots. */
	int (*disk_ask)(struct driver *d, const char *desktop, const json_t *commands, int fd, json_t **ret, struct pst_err *err);
	/* The machine is off (else PST_EBUSY): its disk becomes that file, of its folder. Snapshots and a saved memory go with the old one. */
	int (*disk_replace)(struct driver *d, const char *desktop, const char *file, struct pst_err *err);
	/* Makes the folder, for at least that many bytes. create takes the disk from there, when its order (storage/order.h) is a restore. */
	int (*disk_room)(struct driver *d, const char *desktop, const char *base, uint64_t bytes, struct driver_room *ret, struct pst_err *err);
	/*
	 * Of a machine that has files and no disk, and is off (else PST_EBUSY): all of them from the root on, as a tar of at most max bytes,
	 * into fd (borrowed). Takes as long as it takes; go_on is asked now and then, false ends it with PST_ECLOSED.
	 */
	int (*files)(struct driver *d, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err);
	/* What runs for that desktop ends soon, with PST_ECLOSED, and leaves what a crash would. */
	void (*cancel)(struct driver *d, const char *desktop);
};

/* Implementations embed this first. */
struct driver {
	const struct driver_type *type;
	char name[MACHINE_NAME_SIZE];
	uint32_t rdp_wait_ms; /* set by open: that a machine without an agent gets until its RDP server answers; 0: nobody waits for it */
	struct calls waits;   /* the wrappers' own */
};

/*
 * The wrappers check what the type may rely on (uuids, "ret" unset on failure). create, restart and a start of a machine that is shown by an
 * RDP server of its own and has no agent end when that answers: nobody else says when it can be used.
 */
struct driver *driver_open(const struct driver_type *type, const struct driver_params *p,
	struct pst_err *err);
int driver_create(struct driver *d, const struct machine_request *r, struct machine *ret,
	struct pst_err *err);
int driver_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int driver_restart(struct driver *d, const struct machine_request *r, bool refresh,
	struct machine *ret, struct pst_err *err);
int driver_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int driver_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
int driver_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err);
void driver_close(struct driver *d);

int driver_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);
int driver_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int driver_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int driver_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int driver_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);
int driver_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err);
/* ret->fd is the caller's. */
int driver_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err);
/* *ret_account may be NULL. */
int driver_way(struct driver *d, const char *desktop, const char *pin, struct machine_screen *ret, json_t **ret_account, struct pst_err *err);
/* Without the slot: nothing is visited, 0. */
int driver_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err);
int driver_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err);
int driver_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int driver_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err);
int driver_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err);
int driver_disk(struct driver *d, const char *desktop, struct driver_disk *ret, struct pst_err *err);
int driver_disk_ask(struct driver *d, const char *desktop, const json_t *commands, int fd, json_t **ret, struct pst_err *err);
int driver_disk_replace(struct driver *d, const char *desktop, const char *file, struct pst_err *err);
int driver_disk_room(struct driver *d, const char *desktop, const char *base, uint64_t bytes, struct driver_room *ret, struct pst_err *err);
int driver_files(struct driver *d, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err);
void driver_cancel(struct driver *d, const char *desktop);

/* May the same command work later? For the broker's circuit breaker. */
bool driver_is_retryable(int code);
