/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a desktop is reached, without asking it: QEMU's own network has its agent's port at an address of this
 * host's loopback; on a bridge it gets an address of the provider's range, and the DHCP server of that network is
 * told by a file (dnsmasq's --dhcp-hostsdir reads it when it appears).
 */
#include "broker/hypervisor/qemu/net.h"

#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/tap.h"

#include "base/file.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int lease_path(const struct qemu *q, const char *desktop, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/dhcp/%s", q->set.directory, desktop);
}

static int lease_write(const struct qemu *q, const struct qm_record *r, struct pst_err *err)
{
	char path[PATH_MAX], mac[LV_MAC_SIZE], line[LV_MAC_SIZE + LV_ADDRESS_SIZE + 4];
	int n;

	lv_mac(r->request.desktop, mac);
	n = snprintf(line, sizeof(line), "%s,%s\n", mac, r->address);
	return lease_path(q, r->request.desktop, path, err) < 0 ? err->code : pst_file_write(path, line, (size_t)n, 0644, err);
}

int qm_net_take(struct qemu *q, struct qm_record *r, struct pst_err *err)
{
	int rc;

	if (q->set.network != QM_NET_BRIDGE)
		return 0;
	pthread_mutex_lock(&q->lock);
	rc = lv_addresses_take(&q->addresses, r->request.desktop, r->address, err);
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int qm_net_announce(struct qemu *q, const struct qm_record *r, struct pst_err *err)
{
	return q->set.network == QM_NET_BRIDGE ? lease_write(q, r, err) : 0;
}

void qm_net_mark(struct qemu *q, const struct qm_record *r)
{
	pthread_mutex_lock(&q->lock);
	if (r->address[0])
		lv_addresses_mark(&q->addresses, r->request.desktop, r->address);
	pthread_mutex_unlock(&q->lock);
}

void qm_net_release(struct qemu *q, const char *desktop)
{
	char path[PATH_MAX];

	if (q->set.network != QM_NET_BRIDGE)
		return;
	if (lease_path(q, desktop, path, NULL) == 0)
		(void)unlink(path);
	pthread_mutex_lock(&q->lock);
	lv_addresses_release(&q->addresses, desktop);
	pthread_mutex_unlock(&q->lock);
}

void qm_net_endpoint(const struct qemu *q, const struct qm_record *r, struct machine_endpoint *ret)
{
	char address[QM_ADDRESS_SIZE];

	if (q->set.network == QM_NET_NONE)
		return;
	if (q->set.network == QM_NET_USER)
		qm_address(r->uid, address);
	rdp_site_endpoint(&q->set.rdp, &q->set.seed, &r->request, q->set.network == QM_NET_USER ? address : r->address, ret);
	/* RDP's own port may be the gateway's, at every address of this host. */
	if (q->set.network == QM_NET_USER)
		ret->port = q->set.seed.agent_port;
}

int qm_net_cable(const struct qemu *q, const struct qm_record *r, struct pst_err *err)
{
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "pq%u", (unsigned)r->uid);
	return tap_open(name, q->set.bridge, err);
}

uint16_t qm_net_port(const struct qemu *q, const struct machine_request *r)
{
	return request_speaks_rdp(r) ? q->set.rdp.port : q->set.seed.agent_port;
}

json_t *qm_net_json(const struct qemu *q, const struct qm_record *r)
{
	char address[QM_ADDRESS_SIZE], forward[64];

	if (q->set.network == QM_NET_BRIDGE)
		return json_pack("{s:s,s:s}", "type", "tap", "fd", QM_CABLE);
	qm_address(r->uid, address);
	snprintf(forward, sizeof(forward), "tcp:%s:%u-:%u", address, q->set.seed.agent_port, q->set.seed.agent_port);
	return json_pack("{s:s,s:[{s:s}]}", "type", "user", "hostfwd", "str", forward);
}
