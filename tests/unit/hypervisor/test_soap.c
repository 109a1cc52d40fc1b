/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes, as VMware writes them and as nobody should. */
#include "broker/hypervisor/vsphere/soap.h"

#include <criterion/criterion.h>
#include <string.h>

#define ENVELOPE(body)                                                                                                              \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"" \
	" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>" body "</soapenv:Body></soapenv:Envelope>"

static struct soap *parse(const char *text)
{
	struct pst_err err = PST_ERR_INIT;
	struct soap *s = soap_parse(text, strlen(text), &err);

	cr_assert_not_null(s, "%s", err.text);
	return s;
}

Test(soap, values_are_found_by_their_path)
{
	struct soap *s = parse(ENVELOPE("<R xmlns=\"urn:vim25\"><returnval><obj type=\"VirtualMachine\">vm-7</obj>\n"
					"<propSet><name>a &amp; &lt;b&gt;&#10;</name><val xsi:type=\"vim25:Flag\">true</val></propSet>"
					"<propSet><name>c</name><val xsi:type=\"xsd:long\">12</val></propSet></returnval></R>"));
	const struct soap_node *r = soap_child(soap_body(s), "returnval"), *p = soap_child(r, "propSet");

	cr_assert_str_eq(soap_body(s)->name, "R");
	cr_assert_str_eq(soap_text(r, "obj"), "vm-7");
	cr_assert_str_eq(soap_child(r, "obj")->kind, "VirtualMachine");
	cr_assert_str_eq(soap_child(r, "obj")->type, "");
	cr_assert_str_eq(soap_text(p, "name"), "a & <b>\n");
	cr_assert_str_eq(soap_child(p, "val")->type, "Flag");
	cr_assert(soap_bool(p, "val"));
	p = soap_again(p);
	cr_assert_eq(soap_u64(p, "val"), 12);
	cr_assert_null(soap_again(p));
	cr_assert_str_eq(soap_text(soap_body(s), "returnval.propSet.name"), "a & <b>\n");
	cr_assert_str_eq(soap_text(NULL, "a.b"), "");
	cr_assert_null(soap_at(r, "obj.x"));
	cr_assert(!soap_is_unauthenticated(s));
	soap_destroy(s);
}

Test(soap, a_lost_session_is_seen_wherever_it_is_told)
{
	struct soap *s = parse(ENVELOPE(
		"<R><objects><missingSet><path>a</path><fault><fault xsi:type=\"NotAuthenticated\"/></fault></missingSet></objects></R>"));

	cr_assert(soap_is_unauthenticated(s));
	soap_destroy(s);
}

Test(soap, what_is_no_envelope_is_refused)
{
	static const char *const bad[] = { "", "x", "<a/>", "<Envelope/>", "<Envelope><Body/></Envelope>",
		"<Envelope><Body><a></Body></Envelope>", ENVELOPE("<a/>") "<b/>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><Envelope><Body><a>&b;</a></Body></Envelope>", ENVELOPE("<a>&b;</a>"), ENVELOPE("<n:a/>"),
		"\xff\xfe", ENVELOPE("<a>\xff</a>") };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_null(soap_parse(bad[i], strlen(bad[i]), &err), "%zu", i);
		cr_assert_eq(err.code, PST_EPROTO, "%zu: %s", i, err.text);
		cr_assert_neq(err.text[0], '\0');
	}
}

static void repeat(struct pst_buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pst_buf_put_str(b, text);
}

Test(soap, depth_elements_and_names_have_ceilings)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	pst_buf_init(&b, 16u << 20);
	for (int i = 0; i < 3; i++) {
		pst_buf_reset(&b);
		pst_buf_put_str(&b, "<Envelope><Body><a>");
		if (i == 0)
			repeat(&b, "<a>", SOAP_DEPTH_MAX);
		else if (i == 1)
			repeat(&b, "<a/>", SOAP_NODES_MAX);
		else
			repeat(&b, "<aaaaaaaaaaaaaaaa", 1), repeat(&b, "aaaaaaaaaaaaaaaa", SOAP_NAME_MAX / 16), repeat(&b, "/>", 1);
		cr_assert_null(soap_parse((const char *)b.data, b.len, &err));
		cr_assert_eq(err.code, PST_ELIMIT, "%d: %s", i, err.text);
	}
	pst_buf_finish(&b);
}

Test(soap, what_is_written_is_what_was_read)
{
	struct soap *s = parse(ENVELOPE("<a><d xsi:type=\"VirtualDisk\"><key xsi:type=\"xsd:int\">1</key><b "
					"type=\"Datastore\">ds&lt;1&gt;</b><c/></d></a>")),
		    *again;
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	pst_buf_put_str(&b, "<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>");
	soap_put_node(&b, soap_body(s));
	pst_buf_put_str(&b, "</Body></Envelope>");
	again = parse(pst_buf_cstr(&b));
	cr_assert_str_eq(soap_at(soap_body(again), "d")->type, "VirtualDisk");
	cr_assert_not_null(strstr(pst_buf_cstr(&b), "xsi:type=\"xsd:int\""));
	cr_assert_str_eq(soap_text(soap_body(again), "d.b"), "ds<1>");
	cr_assert_str_eq(soap_at(soap_body(again), "d.b")->kind, "Datastore");
	soap_destroy(again);
	pst_buf_reset(&b);
	soap_put(&b, "name", "<&>\x01");
	soap_put_u64(&b, "n", 7);
	cr_assert_str_eq(pst_buf_cstr(&b), "<name>&lt;&amp;&gt;</name><n>7</n>");
	pst_buf_finish(&b);
	soap_destroy(s);
}
