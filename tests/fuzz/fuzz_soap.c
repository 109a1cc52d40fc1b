/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers of a vSphere server: as a tree, as a fault, as machines with records, and written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hypervisor/vsphere/fault.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/spec.h"
#include "broker/hypervisor/vsphere/vsphere_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void objects_read(const struct soap_node *body)
{
	static const struct vsphere vs = { .instance = "0123456789abcdef0123456789abcdef", .provider = "p" };
	const struct soap_node *o = soap_at(body, "returnval.objects");
	struct pst_err err = PST_ERR_INIT;
	struct machine m;
	struct vs_vm vm;

	for (; o; o = soap_again(o)) {
		struct vim_ref ref;

		if (vim_ref_read(soap_child(o, "obj"), &ref, &err) < 0)
			continue;
		vs_vm_read(&vs, &ref, o, &vm);
		if (vm.whose == VS_OURS)
			vs_machine_fill(&vs, &vm, &m);
		if (vm.whose == VS_UNREADABLE && vs_vm_explain(&vm, o, &err) >= 0)
			abort();
		(void)vs_snapshot_named(property_of(o, "snapshot"), "base");
		(void)soap_u64(spec_disk_find(property_of(o, "config.hardware.device")), "capacityInKB");
		(void)spec_card_find(property_of(o, "config.hardware.device"));
	}
}

/* What was read can be written, and read again. */
static void write_again(const struct soap_node *body)
{
	struct pst_err err = PST_ERR_INIT;
	struct soap *s;
	struct pst_buf b;

	pst_buf_init(&b, 64u << 20);
	pst_buf_put_str(&b, "<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>");
	soap_put_node(&b, body);
	pst_buf_put_str(&b, "</Body></Envelope>");
	if (!b.failed) {
		s = soap_parse((const char *)b.data, b.len, &err);
		if (!s)
			abort();
		soap_destroy(s);
	}
	pst_buf_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct soap *s = soap_parse((const char *)data, size, &err);

	if (!s) {
		if (err.code >= 0)
			abort();
		return 0;
	}
	(void)fault_check(soap_body(s), "the call", &err);
	objects_read(soap_body(s));
	write_again(soap_body(s));
	soap_destroy(s);
	return 0;
}
