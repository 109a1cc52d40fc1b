/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults become errors that say what, why, and what to do. */
#include "broker/hypervisor/vsphere/fault.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static int read_fault(const char *type, const char *fields, const char *words, struct pst_err *err)
{
	char text[4096];
	struct soap *s;
	int rc;

	snprintf(text, sizeof(text),
		"<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body><Fault><faultcode>ServerFaultCode</faultcode>"
		"<faultstring>%s</faultstring><detail><XFault xsi:type=\"%s\">%s</XFault></detail></Fault></Body></Envelope>",
		words, type, fields);
	s = soap_parse(text, strlen(text), err);
	cr_assert_not_null(s, "%s", err->text);
	rc = fault_check(soap_body(s), "the call", err);
	soap_destroy(s);
	return rc;
}

Test(fault, known_ones_have_a_code_and_an_advice)
{
	static const struct {
		const char *type, *fields, *words;
		int code;
		const char *said;
	} cases[] = {
		{ "InvalidLogin", "", "Cannot complete login", PST_EAUTH, "password_file" },
		{ "NoPermission", "<privilegeId>VirtualMachine.Inventory.Create</privilegeId>", "", PST_EDENIED,
			"VirtualMachine.Inventory.Create" },
		{ "NoDiskSpace", "", "", PST_ENOSPC, "make room" },
		{ "DuplicateName", "<name>puesto-1</name>", "", PST_ECONFLICT, "puesto-1" },
		{ "InvalidPowerState", "", "", PST_EBUSY, "InvalidPowerState" },
		{ "ManagedObjectNotFound", "", "", PST_ENOTFOUND, "the call" },
		{ "SomethingNew", "", "who knows", PST_EIO, "SomethingNew: who knows" },
		{ "", "", "", PST_EIO, "unknown fault" },
		{ "NotSupported", "", "a\x1b[31mb\xc3\xa1", PST_EUNSUPPORTED, "NotSupported" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		char words[64];

		snprintf(words, sizeof(words), "%s", cases[i].words);
		for (char *p = words; *p; p++)
			*p = *p == 0x1b ? ' ' : *p; /* no XML has it */
		cr_assert_eq(read_fault(cases[i].type, cases[i].fields, words, &err), cases[i].code, "%zu: %s", i, err.text);
		cr_assert_not_null(strstr(err.text, cases[i].said), "%s", err.text);
		for (const char *p = err.text; *p; p++)
			cr_assert((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f);
	}
}

Test(fault, is_asked_for_by_its_whole_name)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert(!fault_is(&err, "InvalidPowerState"));
	read_fault("InvalidPowerState", "", "no", &err);
	cr_assert(fault_is(&err, "InvalidPowerState"));
	cr_assert(!fault_is(&err, "InvalidPower"));
}

Test(fault, other_answers_are_none)
{
	struct pst_err err = PST_ERR_INIT;
	const char *text = "<Envelope><Body><LoginResponse/></Body></Envelope>";
	struct soap *s = soap_parse(text, strlen(text), &err);

	cr_assert_eq(fault_check(soap_body(s), "the call", &err), 0);
	soap_destroy(s);
	text = "<Envelope><Body><Fault/></Body></Envelope>";
	s = soap_parse(text, strlen(text), &err);
	cr_assert_eq(fault_check(soap_body(s), "the call", &err), PST_EIO);
	soap_destroy(s);
}
