/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a guest's agent is reached. With a range of ours, each desktop has one of its addresses and the MAC
 * 02:50:a.b.c.d in hexadecimal, for which the network's DHCP has that lease; else Proxmox VE's own DHCP (SDN)
 * says which address it gave to which MAC. A guest is never asked.
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/hypervisor/request.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PAUSE_MS 500
#define RESERVE_MS 2000 /* of the deadline */

/* What earlier runs of ours gave out is not free. */
static int addresses_mark(struct rest_op *op, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	struct pve_inventory v;
	int rc = pve_inventory_read(op, &v, err);

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < v.n; i++)
		lv_addresses_mark(&p->addresses, v.items[i].brief.desktop, v.items[i].brief.address);
	p->has_listed |= rc == 0;
	pthread_mutex_unlock(&p->lock);
	pve_inventory_finish(&v);
	return rc;
}

int pve_address_take(struct rest_op *op, struct claim *c, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	bool has_listed;
	int rc;

	c->address[0] = '\0';
	if (p->addresses.n == 0)
		return 0;
	pthread_mutex_lock(&p->lock);
	has_listed = p->has_listed;
	pthread_mutex_unlock(&p->lock);
	if (!has_listed && addresses_mark(op, err) < 0)
		return err->code;
	pthread_mutex_lock(&p->lock);
	rc = lv_addresses_take(&p->addresses, op->desktop, c->address, err);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* "02:50:" and the address. False where addresses are not ours. */
static bool address_mac(const struct proxmox *p, const char *address, char out[VMCONFIG_MAC_SIZE])
{
	struct in_addr in;
	uint8_t b[4];

	if (p->addresses.n == 0 || inet_pton(AF_INET, address, &in) != 1)
		return false;
	memcpy(b, &in.s_addr, sizeof(b));
	snprintf(out, VMCONFIG_MAC_SIZE, "02:50:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3]);
	return true;
}

int pve_card_set(const struct proxmox *p, const struct pve_found *f, json_t *config, struct pst_err *err)
{
	const char *net = pst_json_str(f->config, "net0", VMCONFIG_VALUE_SIZE - 1);
	char mac[VMCONFIG_MAC_SIZE], with_mac[VMCONFIG_VALUE_SIZE], value[VMCONFIG_VALUE_SIZE];
	const struct net_named *named;
	bool has_mac = address_mac(p, f->claim.address, mac);

	if (nets_find(&p->set.nets, f->claim.request.network, &named, err) < 0)
		return err->code;
	if (!has_mac && !named)
		return 0;
	if (!net || (has_mac && !vmconfig_mac_set(net, mac, with_mac)))
		return pst_err_set(err, PST_EINVAL, "the template of image %s has no network card net0: give it one", f->claim.request.image_name);
	if (named) {
		const struct pve_net *n = &p->set.net[named - p->set.nets.list];

		if (!vmconfig_bridge_set(has_mac ? with_mac : net, n->bridge, n->tag, value))
			return pst_err_set(err, PST_ELIMIT, "net0 of the template of image %s is too long", f->claim.request.image_name);
	}
	if (json_object_set_new(config, "net0", json_string(named ? value : with_mac)) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	return 0;
}

json_t *pve_leases(struct rest_op *op, struct pst_err *err)
{
	const struct proxmox *p = proxmox_of_op(op);
	char path[REST_PATH_SIZE];

	if (p->addresses.n > 0 || !p->set.ipam[0])
		return json_array();
	if (rest_path(path, err, PVE_API "/cluster/sdn/ipams/%s/status", p->set.ipam) < 0)
		return NULL;
	return pve_get(op, path, JSON_ARRAY, err);
}

bool pve_lease_find(const json_t *leases, const char *mac, char out[CLAIM_ADDRESS_SIZE])
{
	struct in6_addr in;
	json_t *o;
	size_t i;

	json_array_foreach(leases, i, o)
	{
		const char *ip = pst_json_str(o, "ip", CLAIM_ADDRESS_SIZE - 1), *own = pst_json_str(o, "mac", VMCONFIG_MAC_SIZE);

		if (!ip || !own || !mac[0] || strcasecmp(own, mac) != 0 || (inet_pton(AF_INET, ip, &in) != 1 && inet_pton(AF_INET6, ip, &in) != 1))
			continue;
		return pst_strlcpy(out, CLAIM_ADDRESS_SIZE, ip) == 0;
	}
	return false;
}

/* How long it is waited for. */
static uint64_t wait_ms(const struct rest_op *op, const struct machine_request *r)
{
	const struct proxmox *p = proxmox_of_op(op);
	uint64_t left = rest_left_ms(op);

	left -= PST_MIN(left, (uint64_t)RESERVE_MS);
	if (rdp_site_needs_address(&p->set.seed, r))
		return left;
	return rdp_site_has_agent(&p->set.seed, r) ? 0 : PST_MIN(p->set.address_wait_ms, left);
}

static int address_lacks(const struct proxmox *p, const struct machine_request *r, uint64_t waited_ms, struct pst_err *err)
{
	if (!rdp_site_needs_address(&p->set.seed, r))
		return 0;
	return pst_err_set(err, PST_ETIMEOUT,
		"Proxmox VE's DHCP gave it no address for %u s: does its template ask for one, and its network have that DHCP? \"deadline_s\" is how long it is "
		"waited for",
		(unsigned)(waited_ms / 1000));
}

int pve_address_wait(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	const struct proxmox *p = proxmox_of_op(op);
	const struct machine_request *r = &f->claim.request;
	const char *net = pst_json_str(f->config, "net0", VMCONFIG_VALUE_SIZE);
	uint64_t wait = wait_ms(op, r), until = pst_mono_ms() + wait;
	char mac[VMCONFIG_MAC_SIZE];
	json_t *leases;

	if (f->claim.address[0])
		return 0;
	if (!p->set.ipam[0] && request_speaks_rdp(r))
		return pst_err_set(err, PST_EINVAL, "nothing says where a machine is that is shown by RDP: give the provider \"addresses\" or \"ipam\"");
	if (!p->set.ipam[0] || !net || !vmconfig_mac(net, mac))
		return address_lacks(p, r, 0, err);
	for (;;) {
		leases = pve_leases(op, err);
		if (!leases)
			return err->code;
		bool is_found = pve_lease_find(leases, mac, f->claim.address);
		json_decref(leases);
		if (is_found)
			return 0;
		if (pst_mono_ms() >= until)
			return address_lacks(p, r, wait, err);
		if (rest_wait(op, PAUSE_MS, err) < 0)
			return err->code;
	}
}
