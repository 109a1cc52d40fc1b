/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a machine is, as its guest says. */
#pragma once

#include "broker/hypervisor/vsphere/vsphere_priv.h"

/* May a guest say that it has this address? */
bool vs_address_is_good(const struct vs_settings *set, const char *text);
/*
 * Nobody reaches a machine that is shown by RDP without its address, and its guest tells that late: Windows gets its name first. One that was
 * reached before (not is_new) and has an agent beside it comes when it can.
 */
bool vs_address_is_needed(const struct vsphere *vs, const struct vs_vm *vm, bool is_new);
/*
 * Its address, waited for until the setting's time is over; then "". One that is needed: for as long as the command may take, and PST_ETIMEOUT
 * without.
 */
int vs_address_wait(struct vs_op *op, struct vs_vm *vm, bool is_needed, struct pst_err *err);
