/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The networks of a libvirt provider: made where they are ours, and the addresses of desktops in them. */
#pragma once

#include "broker/hypervisor/libvirt/libvirt_priv.h"

/* The network of a request: "host" and "none" are the provider's own. NULL: there is none of that name. */
struct lv_net *lv_network_of(const struct libvirt *lv, const struct machine_request *r);
int lv_network_missing(const struct machine_request *r, struct pst_err *err);
/* One that is ours to make stands on that host. */
int lv_network_ensure(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct machine_request *r, struct pst_err *err);
int lv_network_reserve(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct lv_record *r, struct pst_err *err);
void lv_network_release(struct lv_host *h, virConnectPtr conn, const struct lv_record *r);
/* The address of a lease, waited for until then. PST_EAGAIN while there is none. */
int lv_network_lease(struct lv_call *c, virConnectPtr conn, const struct machine_request *r, uint64_t until_ms, char out[LV_ADDRESS_SIZE]);
/* With the lock: a desktop's address, of whichever network, is known, or free again. */
void lv_network_mark(struct libvirt *lv, const char *desktop, const char *address);
void lv_network_forget(struct libvirt *lv, const char *desktop);
