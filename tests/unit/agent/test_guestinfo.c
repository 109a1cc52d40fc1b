/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vSphere's place of a seed, with a script for VMware's tool. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/seed/find.h"
#include "agent/seed/guestinfo.h"
#include "tests/unit/agent/seed_kit.h"

#define VENDOR "/sys/class/dmi/id/sys_vendor"

TestSuite(guestinfo, .init = kit_open, .fini = kit_close);

static void tool_put(const char *name, const char *words)
{
	char script[512];
	int n = snprintf(
		script, sizeof(script), "#!/bin/sh\necho \"$0 $*\" >>%s\n%s\n", kit_path("/asked"), words);

	kit_put(name, script, (size_t)n);
	chmod(kit_path(name), 0755);
}

static int look(char **ret_text)
{
	struct pst_err err = PST_ERR_INIT;
	const char *where = NULL;
	size_t len;
	int rc;

	*ret_text = NULL;
	rc = seed_find(kit_root(), ret_text, &len, &where, &err);
	if (rc == 0)
		cr_assert_str_eq(where, "guestinfo");
	return rc;
}

Test(guestinfo, test_is_asked_for_and_emptied)
{
	char *text, *asked;

	kit_put(VENDOR, "VMware, Inc.\n", 13);
	tool_put("/usr/bin/vmware-rpctool", "case $1 in info-get*) echo c2VlZA==;; esac");
	cr_assert_eq(look(&text), 0);
	cr_assert_str_eq(text, "seed");
	free(text);
	seed_forget(kit_root(), "SMBIOS");
	seed_forget(kit_root(), "guestinfo");
	asked = kit_get("/asked");
	cr_assert_not_null(strstr(asked, "info-get guestinfo.puesto.seed\n"), "%s", asked);
	cr_assert_not_null(strstr(asked, "info-set guestinfo.puesto.seed \n"), "%s", asked);
	cr_assert_null(strstr(strstr(asked, "info-set") + 1, "info-set"), "%s", asked);
	free(asked);
}

Test(guestinfo, test_the_daemon_serves_where_there_is_no_tool)
{
	char *text;

	kit_put(VENDOR, "VMware, Inc.\n", 13);
	tool_put("/usr/bin/vmtoolsd",
		"test \"$1\" = --cmd && test \"$2\" = 'info-get guestinfo.puesto.seed' && printf c2VlZA==");
	cr_assert_eq(look(&text), 0);
	cr_assert_str_eq(text, "seed");
	free(text);
}

Test(guestinfo, test_what_is_none_is_not_found)
{
	static const char *const scripts[] = { "exit 1", "echo", "true", "echo c2VlZA==; exit 1" };
	char *text;

	cr_assert_eq(look(&text), PST_ENOTFOUND, "nothing at all");
	kit_put(VENDOR, "VMware, Inc.\n", 13);
	cr_assert_eq(look(&text), PST_ENOTFOUND, "no tool");
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		tool_put("/usr/bin/vmware-rpctool", scripts[i]);
		cr_assert_eq(look(&text), PST_ENOTFOUND, "%s", scripts[i]);
	}
	tool_put("/usr/bin/vmware-rpctool", "echo c2VlZA==");
	kit_put(VENDOR, "QEMU\n", 5);
	cr_assert_eq(look(&text), PST_ENOTFOUND, "other hardware");
	cr_assert_eq(look(&text), PST_ENOTFOUND);
}

Test(guestinfo, test_what_is_damaged_is_an_error)
{
	char *text;

	kit_put(VENDOR, "VMware, Inc.\n", 13);
	tool_put("/usr/bin/vmware-rpctool", "echo '{}'");
	cr_assert_eq(look(&text), PST_EINVAL);
	tool_put("/usr/bin/vmware-rpctool", "head -c 100000 /dev/zero | tr '\\0' A; sleep 60");
	cr_assert_eq(look(&text), PST_EINVAL, "too long, and not waited for");
}
