/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's address, as its VMware Tools say. It is the guest's word: the gateway's connection to it proves by its
 * certificate which desktop it is, and only addresses where desktops may be are ever connected to.
 */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/vsphere/property.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

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

int vs_address_wait(struct vs_op *op, struct vs_vm *vm, struct pst_err *err)
{
	static const char *const paths[] = { "guest.ipAddress", NULL };
	struct property_set set = { .object = &vm->ref, .paths = paths };
	uint64_t end = pst_mono_ms() + op->vs->set.address_wait_ms;
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
