/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TPMs of machines of Windows: who can give them, who has one. */
#pragma once

#include "broker/hypervisor/libvirt/found.h"

/* "tpm = yes", and a known host has none: in words. Call with the lock. */
bool lv_tpm_fault(const struct libvirt *lv, char *out, size_t size);
/* New machines of Windows get one: every host that is known has it, because a domain is moved to any. Call with the lock. */
bool lv_tpm_is_there(const struct libvirt *lv);
/* Shall a machine of that request have one? PST_EUNSUPPORTED where it must and cannot. Takes the lock. */
int lv_tpm_wanted(const struct lv_host *h, const struct machine_request *r, bool *ret, struct pst_err *err);
/* Has its domain one? */
int lv_tpm_of(const struct lv_found *f, bool *ret, struct pst_err *err);
