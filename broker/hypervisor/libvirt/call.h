/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command, on a thread of its own, while its caller waits no longer than it should. */
#pragma once

#include "broker/hypervisor/libvirt/libvirt_priv.h"

/* One line of the inventory; 10,000 of them are in memory at once. */
struct lv_item {
	char desktop[PST_UUID_SIZE];
	char task[PST_UUID_SIZE];
	char image[2 * MACHINE_NAME_SIZE];
	char address[LV_ADDRESS_SIZE];
	char reason[160];
	enum machine_state state;
	uint8_t host;
	bool is_windows, has_rdp; /* of its request */
};

struct lv_call {
	struct libvirt *lv;
	int (*work)(struct lv_call *c, struct pst_err *err);
	char desktop[PST_UUID_SIZE]; /* "" for what is about none */
	uint64_t deadline_ms;        /* of the monotonic clock */
	/* what is asked */
	unsigned needs; /* DRIVER_…: of every host, else PST_EUNSUPPORTED */
	struct machine_request request;
	struct machine_size size;
	struct machine_personal personal;
	int64_t keep_ms; /* in the recycle bin */
	char name[MACHINE_NAME_SIZE];
	enum machine_power wish;
	bool refresh;
	bool is_shared; /* of lv_console_work: others look at it */
	bool tolerates; /* lv_find: hosts that do not answer are left out, but request.host */
	json_t *commands; /* owned: of QEMU's monitor */
	int fd;           /* owned, -1 without: goes with the first of them */
	char path[PATH_MAX]; /* of a file, or a golden disk */
	uint64_t bytes;
	/* the answer, to be read when lv_call_run returned 0 */
	int rc; /* of work, with its words in err */
	struct pst_err err;
	struct machine machine;
	struct machine_screen screen;
	struct driver_capacity capacity;
	struct driver_disk disk;
	struct driver_room room;
	json_t *returned; /* owned, or NULL */
	struct lv_item *items;
	size_t items_n, items_cap;
	size_t folders_from; /* of the items: those before are domains */
	bool is_asked[LV_HOSTS_MAX];  /* by lv_find */
	struct driver_host *hosts;    /* owned: hosts_n of lv */
	bool is_silent[LV_HOSTS_MAX]; /* the inventory has nothing of it */
	char silence[LV_HOSTS_MAX][LV_REASON_SIZE];
	/* by the lock of lv */
	unsigned refs;
	bool is_running, is_done, is_cancelled;
	bool has_job;      /* libvirt can be told to abort it */
	const char *step;  /* what is being done, for the reason */
	struct lv_host *host;
	struct lv_call *next;
	atomic_bool stop; /* nobody waits any more: begin nothing new */
};

/* Returns owned, NULL on no memory. desktop may be NULL. */
struct lv_call *lv_call_create(struct libvirt *lv, const char *desktop, int (*work)(struct lv_call *c, struct pst_err *err));
/* Gives the call up when timeout_ms (0: the provider's deadline) has passed. */
int lv_call_run(struct lv_call *c, uint64_t timeout_ms, struct pst_err *err);
void lv_call_unref(struct lv_call *c);
/* Run, copy the error, unref: for calls without an answer. Takes c. */
int lv_call_finish(struct lv_call *c, struct pst_err *err);
void lv_call_cancel(struct libvirt *lv, const char *desktop);
/* Between two steps: is this still wanted? PST_ECLOSED when not. step is a literal. */
int lv_call_step(struct lv_call *c, struct lv_host *h, const char *step, struct pst_err *err);
/* A step that virDomainAbortJob ends. */
void lv_call_job(struct lv_call *c, bool has_job);
