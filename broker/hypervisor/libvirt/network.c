/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that nobody has to believe a guest about: a reservation in the network's DHCP,
 * made before the guest boots, or the lease that the host's own server gave to its MAC.
 */
#include "broker/hypervisor/libvirt/call.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_PAUSE_MS 500

/* NULL for a bridge, which has no DHCP of libvirt's, and for none. */
static virNetworkPtr network_open(virConnectPtr conn, const struct lv_settings *set)
{
	if (set->network[0] == '\0' || pst_str_starts(set->network, "bridge:"))
		return NULL;
	return virNetworkLookupByName(conn, set->network);
}

static void entry_write(const struct lv_record *r, char *out, size_t size)
{
	char mac[LV_MAC_SIZE];

	lv_mac(r->request.desktop, mac);
	/* The address was made by inet_ntop: nothing to escape. */
	snprintf(out, size, "<host mac='%s' name='" LV_PREFIX "-%s' ip='%s'/>", mac, r->request.desktop, r->address);
}

static int entry_update(virNetworkPtr net, unsigned command, const char *entry)
{
	unsigned flags = 0;

	if (virNetworkIsPersistent(net) == 1)
		flags |= VIR_NETWORK_UPDATE_AFFECT_CONFIG;
	if (virNetworkIsActive(net) == 1)
		flags |= VIR_NETWORK_UPDATE_AFFECT_LIVE;
	return virNetworkUpdate(net, command, VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, entry, flags);
}

int lv_network_reserve(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct lv_record *r, struct pst_err *err)
{
	char entry[200];
	virNetworkPtr net;
	int rc = 0;

	if (r->address[0] == '\0' || lv_call_step(c, h, "reserving an address", err) < 0)
		return err->code;
	net = network_open(conn, &c->lv->set);
	if (!net)
		return 0; /* whoever runs that network's DHCP has the same list */
	entry_write(r, entry, sizeof(entry));
	(void)entry_update(net, VIR_NETWORK_UPDATE_COMMAND_DELETE, entry); /* of an earlier try */
	if (entry_update(net, VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, entry) < 0 && !lv_error_is(VIR_ERR_NO_SUPPORT))
		rc = lv_error(err, h, "reserve %s in network %s", r->address, c->lv->set.network);
	virNetworkFree(net);
	return rc;
}

void lv_network_release(struct lv_host *h, virConnectPtr conn, const struct lv_settings *set, const struct lv_record *r)
{
	virNetworkPtr net = r->address[0] ? network_open(conn, set) : NULL;
	char entry[200];

	if (!net)
		return;
	entry_write(r, entry, sizeof(entry));
	(void)entry_update(net, VIR_NETWORK_UPDATE_COMMAND_DELETE, entry);
	virNetworkFree(net);
}

static int lease_read(virNetworkPtr net, const char *mac, char out[LV_ADDRESS_SIZE])
{
	virNetworkDHCPLeasePtr *leases = NULL;
	int n = virNetworkGetDHCPLeases(net, mac, &leases, 0), rc = PST_EAGAIN;

	for (int i = 0; i < n; i++) {
		if (rc < 0 && leases[i]->type == VIR_IP_ADDR_TYPE_IPV4 && pst_strlcpy(out, LV_ADDRESS_SIZE, leases[i]->ipaddr) == 0)
			rc = 0;
		virNetworkDHCPLeaseFree(leases[i]);
	}
	free(leases);
	return rc;
}

int lv_network_lease(struct lv_call *c, virConnectPtr conn, const char *desktop, uint64_t until_ms, char out[LV_ADDRESS_SIZE])
{
	virNetworkPtr net = network_open(conn, &c->lv->set);
	struct timespec pause = { .tv_nsec = LEASE_PAUSE_MS * 1000000L };
	char mac[LV_MAC_SIZE];
	int rc = PST_EAGAIN;

	if (!net)
		return rc;
	lv_mac(desktop, mac);
	while ((rc = lease_read(net, mac, out)) < 0 && pst_mono_ms() < until_ms && !atomic_load(&c->stop))
		nanosleep(&pause, NULL);
	virNetworkFree(net);
	return rc;
}
