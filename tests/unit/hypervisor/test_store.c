/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A datastore's section, and the mark that tells it from an empty folder. Covers: broker/hypervisor/storage/store_directory.c broker/hypervisor/storage/store_types.c broker/hypervisor/libvirt/store.c (with test_libvirt.py) */
#include "broker/hypervisor/storage/store.h"

#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(store, .init = disk_folder_make, .fini = disk_folder_remove);

static int read_text(const char *text, struct store_settings *s, struct pst_err *err)
{
	struct pst_conf *conf = pst_conf_create();
	int rc = pst_conf_parse(conf, "test", text, strlen(text), err);

	cr_assert_eq(rc, 0, "%s", err->text);
	rc = store_settings_read(conf, "datastore-fast", "fast", s, err);
	if (rc == 0)
		cr_assert_eq(pst_conf_check_unused(conf, err), 0, "%s", err->text);
	pst_conf_destroy(conf);
	return rc;
}

Test(store, a_section_is_read_with_its_defaults)
{
	struct pst_err err = PST_ERR_INIT;
	struct store_settings s;

	cr_assert_eq(read_text("[datastore-fast]\npath = /srv/fast\n", &s, &err), 0, "%s", err.text);
	cr_assert(s.limits.warning == 80 && s.limits.critical == 92 && s.jobs_max == 8 && s.keeps_free == UINT64_C(512) << 20);
	cr_assert(store_allows(&s, "") && store_allows(&s, "anything"));
	cr_assert_eq(read_text("[datastore-fast]\npath = /srv/fast\npools = desk, lab\nwarning = 1\ncritical = 2\njobs = 3\novercommit = 300\nkeep_free_mb = 0\n",
		&s, &err), 0, "%s", err.text);
	cr_assert(s.limits.back == 0 && s.overcommit_percent == 300 && s.keeps_free == 0);
	cr_assert(store_allows(&s, "desk") && store_allows(&s, "lab") && !store_allows(&s, "des") && !store_allows(&s, ""));
}

Test(store, what_is_wrong_with_a_section_is_named)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "path" },
		{ "path = fast\n", "path" },
		{ "path = /srv/../etc\n", "path" },
		{ "path = /srv/fast/\n", "path" },
		{ "path = /srv/fast\nkind = nfs\n", "kind" },
#ifdef HAVE_LIBVIRT
		{ "kind = volumes\n", "pool" },
		{ "kind = volumes\npool = a/b\n", "pool" },
		{ "kind = volumes\npool = vdi\nuri = here\n", "uri" },
		{ "kind = volumes\npool = vdi\npath = here\n", "path" },
		{ "kind = volumes\npool = vdi\nreserve = 401\n", "reserve" },
#endif
		{ "path = /srv/fast\nwarning = 90\ncritical = 80\n", "warning" },
		{ "path = /srv/fast\njobs = 0\n", "jobs" },
		{ "path = /srv/fast\npools = a b, \x01\n", "pools" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct store_settings s;
		char text[200];

		snprintf(text, sizeof(text), "[datastore-fast]\n%s", cases[i].text);
		cr_assert_eq(read_text(text, &s, &err), PST_EINVAL, "%s", cases[i].text);
		cr_assert(strstr(err.text, cases[i].word), "%s: %s", cases[i].text, err.text);
	}
}

Test(store, an_unmounted_one_is_told_from_a_new_one)
{
	struct store_settings s = { .name = "fast" };
	struct pst_err err = PST_ERR_INIT;
	char path[128], data[128], mark[160], other[160];

	snprintf(path, sizeof(path), "%s/fast", disk_folder);
	snprintf(data, sizeof(data), "%s/data", disk_folder);
	memcpy(s.path, path, strlen(path) + 1);
	cr_assert_eq(mkdir(data, 0755), 0);
	cr_assert_eq(store_check(&s, data, &err), PST_ENOTFOUND, "there is no folder");
	cr_assert_eq(mkdir(path, 0755), 0);
	FINE(store_check(&s, data, &err));
	FINE(store_check(&s, data, &err));
	snprintf(mark, sizeof(mark), "%s/images", path);
	cr_assert_eq(access(mark, F_OK), 0);

	/* What is left when its file system is not mounted. */
	snprintf(mark, sizeof(mark), "%s/datastore.id", path);
	snprintf(other, sizeof(other), "%s/kept.id", disk_folder);
	cr_assert_eq(rename(mark, other), 0);
	cr_assert_eq(store_check(&s, data, &err), PST_ENOTFOUND);
	cr_assert(strstr(err.text, "mounted"), "%s", err.text);
	cr_assert_eq(access(mark, F_OK), -1, "nothing is written into it");
	disk_file("fast/datastore.id", "000102030405060708090a0b0c0d0e0f", 32, 32);
	cr_assert_eq(store_check(&s, data, &err), PST_ENOTFOUND);
	cr_assert(strstr(err.text, "another"), "%s", err.text);
	disk_file("fast/datastore.id", "what?", 5, 5);
	cr_assert_eq(store_check(&s, data, &err), PST_EINVAL);

	/* Another machine's provisioner takes over what is marked. */
	cr_assert_eq(rename(other, mark), 0);
	snprintf(other, sizeof(other), "%s/datastores/fast", data);
	cr_assert_eq(unlink(other), 0);
	cr_assert_eq(store_check(&s, data, &err), 0, "%s", err.text);
	cr_assert_eq(access(other, F_OK), 0);
}
