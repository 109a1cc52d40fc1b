/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a driver with a watching thread knows of its machines, and who wants to hear of their ends. The
 * thread compares what a hypervisor lists with what is known here; commands say what they change.
 *
 *	absent --(know)--> alive --(tell)--> dead
 *	   ^                 ^  \               |
 *	   '-----(forget)----'---'-----(know)---'
 *
 * A machine that a command has its hands on (hold) is nobody's news, nor is what was seen before the
 * command let it go: tell names the moment of its look (watches_now), which is compared with that.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"

#include <stdint.h>
#include <uv.h>

#define WATCHES_MAX 16384

struct watches;

/* Loop thread. Returns owned; NULL on no memory. */
struct watches *watches_create(uv_loop_t *loop);

/* Loop thread; nobody else may use it any more. Watches end silently. Accepts NULL. */
void watches_destroy(struct watches *w);

/* Any thread: a moment, for see, tell and missing. */
uint64_t watches_now(struct watches *w);

/* Any thread: it was seen alive at that moment. Nothing if a command has had its hands on it since. */
void watches_see(struct watches *w, const char *desktop, uint64_t moment);

/* Any thread: it lives by our own hand, or a command begins (hold) and ends (release) for it. */
void watches_know(struct watches *w, const char *desktop);
void watches_hold(struct watches *w, const char *desktop);
void watches_release(struct watches *w, const char *desktop);

/* Any thread: it is gone by our own hand. */
void watches_forget(struct watches *w, const char *desktop);

/* Any thread: it was seen dead at that moment. Nothing for one that is not known to live. */
void watches_tell(struct watches *w, const char *desktop, uint64_t moment, const char *reason);

/*
 * Any thread: those that live, as known at that moment, and were not in this list nor in the last one: is_listed says which
 * were. When many are not at once, or none of several is, it is told of nobody, as the broker does by its own lists (core/inventory.c).
 * True when the next list decides of somebody: it is worth to be made soon.
 */
bool watches_missing(struct watches *w, uint64_t moment, bool (*is_listed)(const char *desktop, void *arg), void *arg, const char *reason);

/* Any thread: is there anything to look after? */
bool watches_any(struct watches *w);

/* Loop thread; the driver's slot "watch". */
int watches_add(struct watches *w, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err);
