/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a machine is, as its guest says. */
#pragma once

#include "broker/hypervisor/vsphere/vsphere_priv.h"

/* May a guest say that it has this address? */
bool vs_address_is_good(const struct vs_settings *set, const char *text);
/*
 * Its address, waited for until the setting's time is over; then "". One that is needed (rdp_site_needs_address): for as long as the command may take, and PST_ETIMEOUT
 * without.
 */
int vs_address_wait(struct vs_op *op, struct vs_vm *vm, bool is_needed, struct pst_err *err);
