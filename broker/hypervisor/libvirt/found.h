/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's domain, tagged as ours, on whichever host has it (the running one first). */
#pragma once

#include "broker/hypervisor/libvirt/call.h"

struct lv_found {
	struct lv_host *host;
	virDomainPtr domain; /* owned; NULL where there is none */
	struct lv_record record;
	bool is_active;
	bool is_foreign; /* a domain of that uuid stands somewhere that is not ours */
};

/* 0 also without a domain (ret->domain is NULL); an error when a host cannot be asked. */
int lv_find(struct lv_call *c, struct lv_found *ret, struct pst_err *err);
/* As lv_find, and PST_ENOTFOUND without a domain. */
int lv_need(struct lv_call *c, struct lv_found *ret, struct pst_err *err);
void lv_found_finish(struct lv_found *f);
/* Writes the record into the domain, whatever state it is in. */
int lv_found_save(struct lv_found *f, struct pst_err *err);
/* The record of a domain. PST_ENOTFOUND for one that is not ours. */
int lv_record_load(const struct libvirt *lv, struct lv_host *h, virDomainPtr d, struct lv_record *ret, struct pst_err *err);

/* life.c: defines it anew, from the record alone. */
int lv_domain_define(struct lv_found *f, virConnectPtr conn, struct pst_err *err);
/* power.c: starts what is defined, with its seed; f->record is saved as running. */
int lv_power_start(struct lv_call *c, struct lv_found *f, struct pst_err *err);
/* QEMU has its seed: what is written from now on has no token. */
int lv_power_seed_spend(struct lv_found *f, struct pst_err *err);
/* Ends what runs: at once, or when the guest was asked until then. */
int lv_power_off(struct lv_call *c, struct lv_found *f, struct pst_err *err);
int lv_power_stop(struct lv_call *c, struct lv_found *f, uint64_t end_ms, struct pst_err *err);
