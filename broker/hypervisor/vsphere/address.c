/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's address, as its VMware Tools say, and the way to it. It is the guest's word: the gateway's connection to it proves by its
 * certificate which desktop it is, and only addresses where desktops may be are ever connected to.
 */
#include "broker/hypervisor/vsphere/address.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define RESERVE_MS 2000 /* of the deadline: what was waited for is said, or what is missing */
#define AGAIN_MS 1000   /* between two waits, of which the first broke off */

static bool is_good_v4(const struct vs_settings *set, uint32_t a)
{
	if (set->first)
		return a >= set->first && a <= set->last;
	/* This network, loopback, link-local, multicast and above (RFC 6890). */
	return a >> 24 != 0 && a >> 24 != 127 && a >> 16 != 0xa9fe && a >> 28 < 0xe;
}

bool vs_address_is_good(const struct vs_settings *set, const char *text)
{
	struct in6_addr six;
	struct in_addr four;

	if (strlen(text) >= LV_ADDRESS_SIZE)
		return false;
	if (inet_pton(AF_INET, text, &four) == 1)
		return is_good_v4(set, ntohl(four.s_addr));
	if (set->first || inet_pton(AF_INET6, text, &six) != 1)
		return false;
	return !IN6_IS_ADDR_UNSPECIFIED(&six) && !IN6_IS_ADDR_LOOPBACK(&six) && !IN6_IS_ADDR_LINKLOCAL(&six) &&
	       !IN6_IS_ADDR_MULTICAST(&six) && !IN6_IS_ADDR_V4MAPPED(&six);
}

static int address_until(struct vs_op *op, struct vs_vm *vm, uint64_t end, struct pst_err *err)
{
	static const char *const paths[] = { "guest.ipAddress", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	struct pst_err ignored = PST_ERR_INIT;
	struct property_wait w;
	int rc = vs_vm_look(op, vm, err), more = 1;

	if (rc < 0 || vm->address[0] || pst_mono_ms() >= end || property_wait_begin(&op->vim, &set, &w, &ignored) < 0)
		return rc;
	while (rc == 0 && !vm->address[0] && more >= 0 && pst_mono_ms() < end) {
		more = property_wait_next(&op->vim, &w, (unsigned)PST_MIN((end - pst_mono_ms()) / 1000 + 1, (uint64_t)VS_WAIT_S), &ignored);
		if (more > 0)
			rc = vs_vm_look(op, vm, err);
	}
	property_wait_end(&op->vim, &w);
	return rc;
}

static int address_need(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	uint64_t now = pst_mono_ms(), left = op->vim.end_ms - PST_MIN(op->vim.end_ms, now);
	struct pst_err ignored = PST_ERR_INIT;

	left -= PST_MIN(left, (uint64_t)RESERVE_MS);
	do {
		if (address_until(op, vm, now + left, err) < 0)
			return err->code;
		if (vm->address[0])
			return 0;
	} while (pst_mono_ms() < now + left && vim_op_pause(&op->vim, AGAIN_MS, &ignored) == 0);
	if (vim_op_check(&op->vim, err) < 0)
		return err->code;
	return pst_err_set(err, PST_ETIMEOUT,
		"its VMware Tools told no address for %u s (that \"addresses\" allows): are they in the template, and has its network a DHCP server? \"deadline_s\" "
		"is how long it is waited for",
		(unsigned)(left / 1000));
}

int vs_address_wait(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	const struct machine_request *r = &vm->record.request;
	const struct seed_site *seed = &op->vs->set.seed;

	if (rdp_site_needs_address(seed, r))
		return address_need(op, vm, err);
	return address_until(op, vm, rdp_site_has_agent(seed, r) ? 0 : pst_mono_ms() + op->vs->set.address_wait_ms, err);
}

struct entry {
	const char *pin;
	struct machine_endpoint *endpoint;
	json_t **account;
};

static int way_look(struct vs_op *op, struct vs_vm *vm, const void *arg, struct pst_err *err)
{
	const struct entry *e = arg;

	rdp_site_endpoint(&op->vs->set.rdp, &op->vs->set.seed, &vm->record.request, vm->address, e->endpoint);
	return rdp_site_enter(&op->vs->set.rdp, &vm->record.request, e->endpoint, e->pin, e->account, err);
}

int vsphere_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct entry e = { .pin = pin, .endpoint = ret, .account = ret_account };

	return vs_work(d, desktop, way_look, &e, err);
}
