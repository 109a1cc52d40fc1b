/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network of a machine: its address, its card, and what DHCP is told. Any thread. */
#pragma once

#include "broker/hypervisor/qemu/qemu_priv.h"

#define QM_CABLE "cable" /* the name of a TAP device's descriptor in QEMU */
/* An address for a new record; announced to DHCP once the record is saved. Nothing where the network needs none. */
int qm_net_take(struct qemu *q, struct qm_record *r, struct pst_err *err);
int qm_net_announce(struct qemu *q, const struct qm_record *r, struct pst_err *err);
void qm_net_mark(struct qemu *q, const struct qm_record *r); /* what an earlier provisioner gave out */
void qm_net_release(struct qemu *q, const char *desktop);
/* Where the agent is reached; ret is zeroed. */
void qm_net_endpoint(const struct qemu *q, const struct qm_record *r, struct machine_endpoint *ret);
/* The guest's port behind that. */
uint16_t qm_net_port(const struct qemu *q, const struct machine_request *r);
/* A TAP device's descriptor (owned); for QM_NET_BRIDGE. */
int qm_net_cable(const struct qemu *q, const struct qm_record *r, struct pst_err *err);
/* netdev_add's arguments but id; owned. */
json_t *qm_net_json(const struct qemu *q, const struct qm_record *r);
