/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records in a domain's metadata. Covers: broker/hypervisor/libvirt/record.c */
#include "broker/hypervisor/libvirt/record.h"

#include "base/mem.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void record_make(struct lv_record *r)
{
	memset(r, 0, sizeof(*r));
	contract_request(&r->request, "/images/demo/1");
	strcpy(r->instance, "0123456789abcdef0123456789abcdef");
	strcpy(r->provider, "rack <1>");
	strcpy(r->address, "10.0.0.7");
	strcpy(r->request.enrol_token, "secret_token");
	r->phase = LV_STOPPED;
}

Test(metadata, it_reads_back_without_the_token)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r, back;

	record_make(&r);
	for (int with = 0; with < 2; with++) {
		char *element = lv_record_element(&r, with == 1);

		cr_assert_not_null(element);
		cr_assert_null(strstr(element, "secret_token"));
		cr_assert_eq(strstr(element, LV_NAMESPACE) != NULL, with == 1);
		cr_assert_eq(lv_record_parse(element, &back, &err), 0, "%s", err.text);
		cr_assert_str_eq(back.provider, r.provider);
		cr_assert_str_eq(back.address, r.address);
		cr_assert_str_eq(back.request.desktop, r.request.desktop);
		cr_assert_eq(back.phase, LV_STOPPED);
		free(element);
	}
}

Test(metadata, what_others_wrote_is_no_record)
{
	static const char *const bad[] = { "", "<desktop/>", "<desktop>x</desktop>", "<desktop>{}</desktop>", "<desktop>[1]</desktop>",
		"<desktop>{\"instance\":\"a\",\"provider\":\"b\",\"address\":\"\",\"phase\":\"running\",\"request\":{}}</desktop>" };
	struct pst_err err = PST_ERR_INIT;
	struct lv_record back;

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_lt(lv_record_parse(bad[i], &back, &err), 0, "%s", bad[i]);
}

Test(metadata, a_parent_is_a_key_or_nothing)
{
	struct pst_err err = PST_ERR_INIT;
	struct lv_record r, back;
	char *text, *at;

	record_make(&r);
	text = lv_record_text(&r);
	cr_expect_null(strstr(text, "parent"), "records of others stay as they were");
	free(text);
	strcpy(r.parent, "0123456789abcdef");
	text = lv_record_text(&r);
	cr_assert_eq(lv_record_read(text, &back, &err), 0, "%s", err.text);
	cr_expect_str_eq(back.parent, r.parent);
	at = strstr(text, "0123456789abcdef\",\"request");
	cr_assert_not_null(at, "%s", text);
	memcpy(at, "../../../../etc/", 16);
	cr_expect_eq(lv_record_read(text, &back, &err), PST_EINVAL, "it becomes a part of a path");
	free(text);
}
