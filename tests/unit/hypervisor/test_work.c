/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Orders about back-ups, as the broker writes them. */
#include "broker/hypervisor/backup/work.h"

#include "base/mem.h"

#include <criterion/criterion.h>

#define UUID "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

static int parse(const char *text, struct backup_order *ret, struct pst_err *err)
{
	json_t *o = json_loads(text, 0, NULL);
	int rc = backup_order_parse(o, ret, err);

	json_decref(o);
	return rc;
}

Test(backup_work, an_order_is_read)
{
	struct pst_err err = PST_ERR_INIT;
	struct backup_order o;

	cr_assert_eq(parse("{\"kind\":\"backup\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\",\"provider\":\"vm\",\"every_h\":24,\"full_every_d\":7,\"keep_d\":30,"
		"\"chain\":8,\"user\":\"ana\"}", &o, &err), 0, "%s", err.text);
	cr_assert(o.kind == WORK_BACKUP && o.policy.every_ms == 24 * 3600000 && o.policy.chain_max == 8 && o.policy.keep_chains == 1);
	cr_assert_str_eq(o.user, "ana");
	cr_assert_eq(parse("{\"kind\":\"restore\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\",\"backup\":\"00000000000000aa\"}", &o, &err), 0);
	cr_assert_eq(o.id, 0xaa);
}

Test(backup_work, an_order_that_cannot_be_is_refused)
{
	static const char *const cases[] = {
		"{}",
		"{\"kind\":\"erase\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\"}",
		"{\"kind\":\"backup\",\"task\":\"7\",\"desktop\":\"" UUID "\"}",
		"{\"kind\":\"backup\",\"task\":\"" UUID "\",\"desktop\":\"../x\"}",
		"{\"kind\":\"remove\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\"}",
		"{\"kind\":\"remove\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\",\"backup\":\"../../disk\"}",
		"{\"kind\":\"backup\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\",\"chain\":0}",
		"{\"kind\":\"rebuild\",\"task\":\"" UUID "\",\"desktop\":\"" UUID "\",\"backup\":\"00000000000000aa\"}",
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct backup_order o;

		cr_assert_eq(parse(cases[i], &o, &err), PST_EINVAL, "%s", cases[i]);
	}
}

Test(backup_work, a_task_is_the_same_backup_each_time)
{
	cr_assert_eq(backup_work_id(UUID), backup_work_id(UUID));
	cr_assert_neq(backup_work_id(UUID), backup_work_id("2b4e28ba-2fa1-41d2-883f-0016d3cca427"));
	cr_assert_neq(backup_work_id("00000000-0000-0000-0000-000000000000"), 0, "0 is none");
}
