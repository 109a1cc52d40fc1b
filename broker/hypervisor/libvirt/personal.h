/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users' own disks (disk/personal.h) of libvirt's machines: in "personal" of the provider's directory, or of one of its datastores of
 * files. Plugged into a free root port while the machine runs, and in no definition: a machine that starts has none.
 */
#pragma once

#include "broker/hypervisor/libvirt/call.h"

/* The commands; c->personal is the disk. */
int lv_personal_attach_work(struct lv_call *c, struct pst_err *err);
int lv_personal_detach_work(struct lv_call *c, struct pst_err *err);
/* About no desktop; c->keep_ms. */
int lv_personal_remove_work(struct lv_call *c, struct pst_err *err);

/* Whatever the desktop has is nobody's: its domain does not run. A datastore that is offline is left out. */
int lv_personal_release(const struct libvirt *lv, const char *desktop, struct pst_err *err);
