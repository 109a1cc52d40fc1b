/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disk of a machine as back-ups see it, while its domain runs and while it does not. */
#pragma once

#include "broker/hypervisor/libvirt/found.h"

int lv_disk_work(struct lv_call *c, struct pst_err *err);
int lv_disk_ask_work(struct lv_call *c, struct pst_err *err);
int lv_disk_replace_work(struct lv_call *c, struct pst_err *err);
int lv_disk_room_work(struct lv_call *c, struct pst_err *err);
/* Before the disk goes back to a snapshot, or grows. */
int lv_disk_forget(struct lv_call *c, struct lv_found *f, struct pst_err *err);
/* A disk that was made in that room becomes the desktop's: 1 with its datastore. 0: there is none. */
int lv_disk_take(const struct libvirt *lv, const char *desktop, char ret_store[PLACEMENT_NAME_SIZE], struct pst_err *err);
/* A create that failed, or that a crash has ended, puts it back for the next one. */
int lv_disk_return(const struct libvirt *lv, const char *store, const char *desktop, const char *disk, struct pst_err *err);
