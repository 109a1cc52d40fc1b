/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that nobody has to believe a guest about: a reservation in the network's DHCP,
 * made before the guest boots, or the lease that the host's own server gave to its MAC.
 */
#include "broker/hypervisor/libvirt/call.h"
#include "broker/hypervisor/libvirt/network.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_PAUSE_MS 500

struct lv_net *lv_network_of(const struct libvirt *lv, const struct machine_request *r)
{
	const char *name = strcmp(r->network, "host") == 0 || strcmp(r->network, "none") == 0 ? "" : r->network;

	for (size_t i = 0; i < lv->nets_n; i++) {
		if (strcmp(lv->nets[i].name, name) == 0)
			return (struct lv_net *)&lv->nets[i];
	}
	return NULL;
}

int lv_network_missing(const struct machine_request *r, struct pst_err *err)
{
	return pst_err_set(err, PST_EINVAL, "network \"%s\" is not in \"networks\" of the provider's section: add it, or give the pool another",
		r->network);
}

/* NULL for a bridge, which has no DHCP of libvirt's, and for none. */
static virNetworkPtr network_open(virConnectPtr conn, const struct lv_net *n)
{
	return n && lv_net_has_dhcp(n) ? virNetworkLookupByName(conn, n->where) : NULL;
}

/* Defined before it is started, so that the host has it again after its own start. */
static int network_make(struct lv_host *h, virConnectPtr conn, const struct lv_net *n, struct pst_err *err)
{
	virNetworkPtr net = virNetworkLookupByName(conn, n->where);
	char *xml;
	int rc = 0;

	if (!net) {
		xml = lv_net_xml(n, err);
		if (!xml)
			return err->code;
		net = virNetworkDefineXML(conn, xml);
		free(xml);
	}
	if (!net)
		return lv_error(err, h, "make network %s", n->name);
	if (virNetworkIsActive(net) != 1 && virNetworkCreate(net) < 0 && !lv_error_is(VIR_ERR_OPERATION_INVALID))
		rc = lv_error(err, h, "start network %s", n->name);
	(void)virNetworkSetAutostart(net, 1);
	virNetworkFree(net);
	return rc;
}

int lv_network_ensure(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct machine_request *r, struct pst_err *err)
{
	const struct lv_net *n = lv_network_of(c->lv, r);

	if (!n)
		return lv_network_missing(r, err);
	if (!lv_net_is_made(n))
		return 0;
	if (lv_call_step(c, h, "making its network", err) < 0)
		return err->code;
	return network_make(h, conn, n, err);
}

void lv_network_mark(struct libvirt *lv, const char *desktop, const char *address)
{
	for (size_t i = 0; i < lv->nets_n; i++)
		lv_addresses_mark(&lv->nets[i].addresses, desktop, address);
}

void lv_network_forget(struct libvirt *lv, const char *desktop)
{
	for (size_t i = 0; i < lv->nets_n; i++)
		lv_addresses_release(&lv->nets[i].addresses, desktop);
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

	if (r->address[0] == '\0')
		return 0;
	if (lv_call_step(c, h, "reserving an address", err) < 0)
		return err->code;
	net = network_open(conn, lv_network_of(c->lv, &r->request));
	if (!net)
		return 0; /* whoever runs that network's DHCP has the same list */
	entry_write(r, entry, sizeof(entry));
	(void)entry_update(net, VIR_NETWORK_UPDATE_COMMAND_DELETE, entry); /* of an earlier try */
	if (entry_update(net, VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, entry) < 0 && !lv_error_is(VIR_ERR_NO_SUPPORT))
		rc = lv_error(err, h, "reserve %s in network %s", r->address, virNetworkGetName(net));
	virNetworkFree(net);
	return rc;
}

void lv_network_release(struct lv_host *h, virConnectPtr conn, const struct lv_record *r)
{
	virNetworkPtr net = r->address[0] ? network_open(conn, lv_network_of(h->lv, &r->request)) : NULL;
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

int lv_network_lease(struct lv_call *c, virConnectPtr conn, const struct machine_request *r, uint64_t until_ms, char out[LV_ADDRESS_SIZE])
{
	virNetworkPtr net = network_open(conn, lv_network_of(c->lv, r));
	struct timespec pause = { .tv_nsec = LEASE_PAUSE_MS * 1000000L };
	char mac[LV_MAC_SIZE];
	int rc = PST_EAGAIN;

	if (!net)
		return rc;
	lv_mac(r->desktop, mac);
	while ((rc = lease_read(net, mac, out)) < 0 && pst_mono_ms() < until_ms && !atomic_load(&c->stop))
		nanosleep(&pause, NULL);
	virNetworkFree(net);
	return rc;
}
