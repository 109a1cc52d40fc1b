/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What QEMU is told about a disk, and what its answers are taken for. */
#include "broker/hypervisor/backup/blocks.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers by the command's name, and keeps what was asked. */
struct peer {
	const char *jobs, *nodes; /* as text */
	char log[4096];
	const char *refuses; /* a command */
	int fds;
};

static int on_ask(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	struct peer *p = arg;
	json_t *all = json_array(), *command;
	size_t i;

	p->fds += fd >= 0;
	json_array_foreach((json_t *)(uintptr_t)commands, i, command) {
		const char *name = json_string_value(json_object_get(command, "execute")), *answer = "{}";
		char *text = json_dumps(json_object_get(command, "arguments"), JSON_COMPACT | JSON_SORT_KEYS);

		strncat(p->log, name, sizeof(p->log) - strlen(p->log) - 1);
		strncat(p->log, text, sizeof(p->log) - strlen(p->log) - 1);
		free(text);
		if (p->refuses && strcmp(p->refuses, name) == 0) {
			json_decref(all);
			return pst_err_set(err, PST_ECONFLICT, "QEMU, %s: no", name);
		}
		if (strcmp(name, "query-jobs") == 0)
			answer = p->jobs;
		else if (strcmp(name, "query-named-block-nodes") == 0)
			answer = p->nodes;
		json_array_append_new(all, json_loads(answer, JSON_DECODE_ANY, NULL));
	}
	if (ret)
		*ret = json_incref(all);
	json_decref(all);
	return 0;
}

#define NODES \
	"[{\"node-name\":\"f\",\"drv\":\"file\",\"file\":\"/d/disk.qcow2\",\"ro\":false}," \
	"{\"node-name\":\"other\",\"drv\":\"qcow2\",\"file\":\"/d/golden.qcow2\",\"ro\":true}," \
	"{\"node-name\":\"libvirt-1-format\",\"drv\":\"qcow2\",\"file\":\"/d/disk.qcow2\",\"ro\":false,\"image\":{\"virtual-size\":67108864}," \
	"\"dirty-bitmaps\":[{\"name\":\"puesto-00000000000000aa\",\"recording\":true,\"count\":65536},{\"name\":\"puesto-bb\",\"recording\":true}," \
	"{\"name\":\"somebody's\",\"recording\":true},{\"name\":\"puesto-00000000000000bb\",\"recording\":false,\"inconsistent\":true}]}]"

Test(blocks, a_disk_is_found_by_its_file_and_bitmaps_by_their_names)
{
	struct peer p = { .jobs = "[]", .nodes = NODES };
	struct blocks b = { on_ask, &p };
	struct pst_err err = PST_ERR_INIT;
	struct blocks_disk d;

	cr_assert_eq(blocks_look(&b, "/d/disk.qcow2", &d, &err), 0, "%s", err.text);
	cr_assert_str_eq(d.node, "libvirt-1-format");
	cr_assert(d.size == 64 << 20 && d.bitmaps_n == 2);
	cr_assert(d.bitmaps[0].id == 0xaa && !d.bitmaps[0].is_broken && d.bitmaps[0].bytes == 65536);
	cr_assert(d.bitmaps[1].id == 0xbb && d.bitmaps[1].is_broken);
	cr_assert_eq(blocks_look(&b, "/d/golden.qcow2", &d, &err), PST_ENOTFOUND, "nobody writes to it");
	p.nodes = "{\"what\":1}";
	cr_assert_eq(blocks_look(&b, "/d/disk.qcow2", &d, &err), PST_ENOTFOUND);
}

Test(blocks, what_a_dead_one_has_left_is_ended)
{
	struct peer p = { .jobs = "[{\"id\":\"puesto-backup\",\"status\":\"concluded\"}]", .nodes = NODES };
	struct blocks b = { on_ask, &p };
	struct pst_err err = PST_ERR_INIT;
	struct blocks_disk d;

	cr_assert_eq(blocks_look(&b, "/d/disk.qcow2", &d, &err), 0);
	p.log[0] = '\0';
	cr_assert_eq(blocks_clear(&b, &d, 0xaa, &err), 0, "%s", err.text);
	cr_assert_not_null(strstr(p.log, "job-dismiss{\"id\":\"puesto-backup\"}"));
	cr_assert_not_null(strstr(p.log, "blockdev-del{\"node-name\":\"puesto-backup-target\"}"));
	cr_assert_not_null(strstr(p.log, "block-dirty-bitmap-remove{\"name\":\"puesto-00000000000000bb\",\"node\":\"libvirt-1-format\"}"));
	cr_assert_null(strstr(p.log, "remove{\"name\":\"puesto-00000000000000aa\""), "%s", p.log);
	cr_assert(d.bitmaps_n == 1 && d.bitmaps[0].id == 0xaa);
}

Test(blocks, copy_and_new_bitmap_begin_at_one_moment)
{
	struct peer p = { .jobs = "[]", .nodes = NODES };
	struct blocks b = { on_ask, &p };
	struct pst_err err = PST_ERR_INIT;
	struct blocks_disk d = { .node = "disk" };
	struct blocks_job job = { .fd = 0, .since = 0xaa, .notes = 0xcc };

	cr_assert_eq(blocks_begin(&b, &d, &job, &err), 0, "%s", err.text);
	cr_assert_eq(p.fds, 1);
	cr_assert_not_null(strstr(p.log, "\"backing\":null"));
	cr_assert_not_null(strstr(p.log, "transaction{\"actions\":[{\"data\":{\"name\":\"puesto-00000000000000cc\",\"node\":\"disk\",\"persistent\":true},"
		"\"type\":\"block-dirty-bitmap-add\"},{\"data\":{\"auto-dismiss\":false,\"bitmap\":\"puesto-00000000000000aa\",\"bitmap-mode\":\"never\""), "%s", p.log);
	p.refuses = "transaction";
	cr_assert_eq(blocks_begin(&b, &d, &job, &err), PST_ECONFLICT);
}

Test(blocks, a_job_tells_how_it_goes)
{
	static const struct {
		const char *jobs;
		int rc;
	} cases[] = {
		{ "[]", PST_ENOTFOUND },
		{ "[{\"id\":\"another\",\"status\":\"concluded\"}]", PST_ENOTFOUND },
		{ "[{\"id\":\"puesto-backup\",\"status\":\"running\",\"current-progress\":3,\"total-progress\":9}]", 0 },
		{ "[{\"id\":\"puesto-backup\",\"status\":\"concluded\",\"current-progress\":9,\"total-progress\":9}]", 1 },
		{ "[{\"id\":\"puesto-backup\",\"status\":\"concluded\",\"error\":\"No space left on device\"}]", PST_ENOSPC },
		{ "[{\"id\":\"puesto-backup\",\"status\":\"concluded\",\"error\":\"Operation canceled\"}]", PST_EIO },
		{ "7", PST_ENOTFOUND },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct peer p = { .jobs = cases[i].jobs, .nodes = "[]" };
		struct blocks b = { on_ask, &p };
		struct pst_err err = PST_ERR_INIT;
		uint64_t done = 0, total = 0;

		cr_assert_eq(blocks_step(&b, &done, &total, &err), cases[i].rc, "%s", cases[i].jobs);
	}
}

Test(blocks, whatever_a_job_has_as_its_error_it_did_not_end_well)
{
	char jobs[2000], words[1200];
	struct peer p = { .jobs = jobs, .nodes = "[]" };
	struct blocks b = { on_ask, &p };
	uint64_t done, total;

	memset(words, 'w', sizeof(words));
	words[sizeof(words) - 1] = '\0';
	snprintf(jobs, sizeof(jobs), "[{\"id\":\"puesto-backup\",\"status\":\"concluded\",\"error\":\"%s\"}]", words);
	for (int i = 0; i < 2; i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(blocks_step(&b, &done, &total, &err), PST_EIO, "%s", jobs);
		cr_assert_gt(strlen(err.text), 10);
		snprintf(jobs, sizeof(jobs), "[{\"id\":\"puesto-backup\",\"status\":\"concluded\",\"error\":{\"class\":\"GenericError\"}}]");
	}
}
