/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gateway.conf: what the gate and the spawner may be told. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"

#define GATE_LISTENERS_MAX 16
#define GATE_HOSTS_MAX 32

enum gate_port { GATE_HTTPS, GATE_RDP, GATE_VNC };

struct gate_address {
	enum gate_port port_kind;
	char host[64]; /* numeric; "" means all addresses, IPv6 and IPv4 */
	uint16_t port;
};

struct gate_config {
	char name[64];
	struct gate_address addresses[GATE_LISTENERS_MAX];
	unsigned n_addresses;
	char *hosts[GATE_HOSTS_MAX]; /* lower case, without port */
	unsigned n_hosts;
	char *web_dir, *desktops_dir, *broker_socket, *cert, *key, *worker, *worker_rdp, *worker_seat, *user, *pidfile;
	char *link, *link_networks, *link_ca, *link_cert, *link_key; /* desktops of other hosts */
	char sandbox[8]; /* on, log or off */
	uint32_t worker_uid_first, worker_uid_count, workers_max, worker_memory_mb;
	uint32_t half_open_per_source, open_per_source, half_open_total, open_total;
	uint64_t preauth_ms; /* from accept to a whole first request or hello */
};

/* Reads everything, fills defaults. The config must be finished also after a failure. */
int gate_config_load(struct gate_config *c, struct pst_conf *conf, struct pst_err *err);
void gate_config_finish(struct gate_config *c);
/* True when a Host header (name or name:port) names one of our hosts. */
bool gate_config_has_host(const struct gate_config *c, const char *host);
