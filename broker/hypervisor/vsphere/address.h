/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a machine is, as its guest says. */
#pragma once

#include "broker/hypervisor/vsphere/vsphere_priv.h"

/* May a guest say that it has this address? */
bool vs_address_is_good(const struct vs_settings *set, const char *text);
/*
 * Its address, waited for until the setting's time is over; then "". A machine whose agent says when it comes is not waited for; one that is of no use
 * without (rdp_site_needs_address) is for as long as the command may take, and then it is PST_ETIMEOUT.
 */
int vs_address_wait(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);
