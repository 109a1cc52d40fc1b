/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines that were seen, and who waits for their end (watch.c). Call known's functions with the lock. */
#pragma once

#include "broker/hypervisor/libvirt/libvirt_priv.h"

struct lv_known {
	char desktop[PST_UUID_SIZE];
	driver_ended_cb ended;
	void *arg;
	unsigned watch;  /* counts: an old watch is not told */
	bool is_suspect; /* to be looked at */
	bool is_asleep;  /* stopped by us */
	struct lv_known *next;
};

struct lv_known *lv_known_find(struct libvirt *lv, const char *desktop);
struct lv_known *lv_known_add(struct libvirt *lv, const char *desktop);
void lv_known_remove(struct libvirt *lv, const char *desktop);
void lv_known_finish(struct libvirt *lv);
void lv_known_each(struct libvirt *lv, void (*visit)(struct libvirt *lv, struct lv_known *k, void *arg), void *arg);

/* watch.c */
int lv_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err);
int lv_watch_start(struct libvirt *lv, uv_loop_t *loop, struct pst_err *err);
void lv_watch_stop(struct libvirt *lv);
/* Something happened to it. Any thread. */
void lv_watch_suspect(struct libvirt *lv, const char *desktop);
/* Stopped or started by us: known, and its end is or is not to be told. Any thread. */
void lv_watch_sleep(struct libvirt *lv, const char *desktop, bool is_asleep);
