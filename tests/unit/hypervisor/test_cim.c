/* SPDX-License-Identifier: GPL-3.0-or-later */
/* References and instances, there and back. */
#include "broker/hypervisor/hyperv/cim.h"

#include "broker/hypervisor/hyperv/vm.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HEAD "<s:Envelope xmlns:s='s' xmlns:a='a' xmlns:w='w' xmlns:p='p'><s:Body>"
#define TAIL "</s:Body></s:Envelope>"

static int read_back(const char *xml, struct cim_ref *ret, struct pst_err *err)
{
	char text[4096];
	struct soap *s;
	int rc;

	snprintf(text, sizeof(text), HEAD "%s" TAIL, xml);
	s = soap_parse(text, strlen(text), err);
	cr_assert_not_null(s, "%s", err->text);
	rc = cim_ref_read(soap_body(s), ret, err);
	soap_destroy(s);
	return rc;
}

Test(cim, a_reference_is_read_as_it_was_written)
{
	struct cim_ref r = cim_ref("Msvm_ComputerSystem"), got;
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	cim_key_add(&r, "CreationClassName", "Msvm_ComputerSystem");
	cim_key_add(&r, "Name", "a<b&\"c");
	pst_buf_init(&b, 4096);
	cim_put_ref(&b, "Job", &r);
	cr_assert_eq(read_back(pst_buf_cstr(&b), &got, &err), 0, "%s", err.text);
	cr_assert_str_eq(got.cls, "Msvm_ComputerSystem");
	cr_assert_str_eq(cim_key(&got, "Name"), "a<b&\"c");
	cr_assert_null(cim_key(&got, "Other"));
	pst_buf_finish(&b);
}

Test(cim, what_is_no_reference_is_refused)
{
	static const char *const bad[] = {
		"<p:Job/>",
		"<p:Job><a:ReferenceParameters><w:ResourceURI>noclass</w:ResourceURI></a:ReferenceParameters></p:Job>",
		"<p:Job><a:ReferenceParameters><w:ResourceURI>x/Class</w:ResourceURI></a:ReferenceParameters></p:Job>",
		"<p:Job><a:ReferenceParameters><w:ResourceURI>x/Class</w:ResourceURI><w:SelectorSet><w:Selector Name='__cimnamespace'>n</w:Selector></w:SelectorSet>"
		"</a:ReferenceParameters></p:Job>",
	};
	char long_one[2048];
	struct cim_ref got;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(read_back(bad[i], &got, &err), PST_EPROTO, "%s", bad[i]);
	}
	struct pst_err err = PST_ERR_INIT;
	snprintf(long_one, sizeof(long_one), "<p:Job><a:ReferenceParameters><w:ResourceURI>x/Class</w:ResourceURI><w:SelectorSet><w:Selector Name='Name'>%0400d"
		"</w:Selector></w:SelectorSet></a:ReferenceParameters></p:Job>", 1);
	cr_assert_eq(read_back(long_one, &got, &err), PST_EPROTO);
	snprintf(long_one, sizeof(long_one), "<p:J><a:ReferenceParameters><w:ResourceURI>x/%0100d</w:ResourceURI></a:ReferenceParameters></p:J>", 1);
	cr_assert_eq(read_back(long_one, &got, &err), PST_EPROTO);
}

Test(cim, paths_and_queries_are_escaped)
{
	struct cim_ref r = cim_ref("Msvm_ResourceAllocationSettingData");
	char out[512], small[8];

	cim_key_add(&r, "InstanceID", "Microsoft:A\\B\"");
	cim_path(&r, out, sizeof(out));
	cr_assert_str_eq(out, "\\\\.\\root\\virtualization\\v2:Msvm_ResourceAllocationSettingData.InstanceID=\"Microsoft:A\\\\B\\\"\"");
	for (size_t size = 1; size < 120; size++) {
		memset(out, 'x', sizeof(out));
		cim_path(&r, out, size);
		cr_assert_eq(out[size], 'x', "never over the end");
	}
	cr_assert(cim_wql("a'b\\c", out, sizeof(out)));
	cr_assert_str_eq(out, "a\\'b\\\\c");
	cr_assert(!cim_wql("too long for it", small, sizeof(small)));
}

Test(cim, an_instance_is_text_within_its_argument)
{
	struct pst_buf in, args;

	pst_buf_init(&args, 4096);
	cim_begin(&in, "Msvm_X");
	cim_put(&in, "A", "string", "1 < 2");
	cim_put_number(&in, "B", "uint16", 7);
	cim_put_array(&in, "C", "x");
	cim_end(&in, &args, "SystemSettings");
	const char *text = pst_buf_cstr(&args);
	cr_assert_eq(strncmp(text, "<p:SystemSettings>&lt;INSTANCE CLASSNAME=&quot;Msvm_X&quot;", 40), 0, "%s", text);
	cr_assert_not_null(strstr(text, "1 &amp;lt; 2"), "escaped twice: %s", text);
	cr_assert_not_null(strstr(text, "VALUE.ARRAY"), "%s", text);
	pst_buf_finish(&args);
	pst_buf_init(&args, 1 << 20);
	cim_begin(&in, "Msvm_X");
	for (int i = 0; i < 2000; i++)
		cim_put(&in, "A", "string", "long enough to come to the ceiling");
	cim_end(&in, &args, "SystemSettings");
	cr_assert(args.failed, "one that is too long fails as a whole");
	pst_buf_finish(&args);
}

Test(cim, states_of_machines_are_known)
{
	cr_assert_eq(vm_state_read("2"), VM_RUNNING);
	cr_assert_eq(vm_state_read("3"), VM_OFF);
	cr_assert_eq(vm_state_read("6"), VM_SAVED);
	cr_assert_eq(vm_state_read("10"), VM_MOVING);
	cr_assert_eq(vm_state_read("9"), VM_ODD);
	cr_assert_eq(vm_state_read(""), VM_ODD);
}
