/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of the ssh driver. Covers: broker/hypervisor/ssh/record.c */
#include "broker/hypervisor/ssh/record.h"

#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ssh_record record;

static void record_make(void)
{
	memset(&record, 0, sizeof(record));
	contract_request(&record.request, "ref:zroot/desk@1");
	record.phase = SSH_STOPPED;
	pst_strlcpy(record.address, sizeof(record.address), "10.0.0.7");
	for (size_t i = 0; i < 3; i++) {
		snprintf(record.snapshots[i].name, sizeof(record.snapshots[i].name), "s%zu", i);
		record.snapshots[i].ran = i == 1;
		record.snapshots[i].whole = i != 2;
	}
	record.snapshots_n = 3;
}

Test(record, is_read_as_it_was_written_and_keeps_no_token, .init = record_make)
{
	struct pst_err err = PST_ERR_INIT;
	char *text = ssh_record_text(&record);
	struct ssh_record r;

	cr_assert_null(strchr(text, '\n'));
	cr_assert_null(strstr(text, record.request.enrol_token));
	cr_assert_eq(ssh_record_parse(text, strlen(text), &r, &err), 0, "%s", err.text);
	cr_assert_eq(r.phase, SSH_STOPPED);
	cr_assert_str_eq(r.address, "10.0.0.7");
	cr_assert_str_eq(r.request.desktop, record.request.desktop);
	cr_assert_str_eq(r.request.task, record.request.task);
	cr_assert_str_eq(r.request.image_base, "ref:zroot/desk@1");
	cr_assert_eq(r.snapshots_n, 3);
	cr_assert(r.snapshots[1].ran && r.snapshots[1].whole && !r.snapshots[2].whole);
	free(text);
}

Test(record, snapshots_are_found_and_removed, .init = record_make)
{
	cr_assert_null(ssh_record_snapshot(&record, "s9"));
	ssh_record_snapshot_remove(&record, ssh_record_snapshot(&record, "s1"));
	cr_assert_eq(record.snapshots_n, 2);
	cr_assert_str_eq(record.snapshots[1].name, "s2");
}

Test(record, a_full_one_fits)
{
	struct pst_err err = PST_ERR_INIT;
	struct ssh_record r;

	record_make();
	for (size_t i = 0; i < SSH_SNAPSHOTS_MAX; i++)
		snprintf(record.snapshots[i].name, sizeof(record.snapshots[i].name), "%063zu", i);
	record.snapshots_n = SSH_SNAPSHOTS_MAX;
	char *text = ssh_record_text(&record);
	cr_assert_lt(strlen(text), SSH_RECORD_MAX);
	cr_assert_eq(ssh_record_parse(text, strlen(text), &r, &err), 0, "%s", err.text);
	free(text);
}

Test(record, what_is_none_is_refused)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"v\":1,\"phase\":\"odd\",\"address\":\"\",\"request\":{}}", "not json" };
	struct ssh_record r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_lt(ssh_record_parse(bad[i], strlen(bad[i]), &r, &err), 0, "%s", bad[i]);
		cr_assert_neq(err.text[0], '\0');
	}
}
