/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On which datastore of the provider's a desktop's folder is, or may be. Any thread; everything may block. */
#pragma once

#include "broker/hypervisor/libvirt/libvirt_priv.h"

int lv_stores_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err);
void lv_stores_finish(struct libvirt *lv);
/* The folder of all of this provider's desktops on that datastore. */
int lv_store_root(const struct libvirt *lv, const char *store, char out[PATH_MAX], struct pst_err *err);
/* Of the desktop's folder; "" where it has none. PST_EBUSY when it may be on one that is offline. */
int lv_store_of(const struct libvirt *lv, const char *desktop, char ret_name[PLACEMENT_NAME_SIZE], struct pst_err *err);
/* Before the desktop's folder comes to be on that datastore; and when it is gone. */
int lv_store_note(const struct libvirt *lv, const char *desktop, const char *store, struct pst_err *err);
void lv_store_forget(const struct libvirt *lv, const char *desktop);
/*
 * Makes the desktop's folder, durably, on the datastore that was chosen or where it is already (or takes it out of
 * the recycle bin), and sets r->image_base to the golden disk as it lies there. lv_store_end ends the turn.
 */
int lv_store_place(struct lv_call *c, struct machine_request *r, struct store_turn *turn, struct pst_err *err);
void lv_store_end(struct store_turn *turn);
