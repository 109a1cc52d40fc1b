/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What liblxc is told of a desktop. */
#include "broker/hypervisor/lxc/config.h"

#include "base/text.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct config_site site = { .dir = "/data/lxc/x", .base = "/golden/desk/rootfs", .agents = "/data/run/agents",
	.libexec = "/usr/libexec/puesto", .bridge = "lxcbr0", .gateway_uid = 77 };

static void has(struct pst_buf *b, const char *line)
{
	char want[512];

	snprintf(want, sizeof(want), "\n%s\n", line);
	cr_assert_not_null(strstr(pst_buf_cstr(b), want), "%s is not in\n%s", line, pst_buf_cstr(b));
}

Test(config, a_container_gets_limits_and_no_privilege)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct pst_buf b;

	contract_request(&r, "ref:desk");
	pst_buf_init(&b, 65536);
	pst_buf_put_str(&b, "\n");
	cr_assert_eq(config_write(&b, &site, &r, 5000, &err), 0, "%s", err.text);
	has(&b, "lxc.init.uid = 5000");
	has(&b, "lxc.cap.keep = none");
	has(&b, "lxc.no_new_privs = 1");
	has(&b, "lxc.net.0.type = empty");
	has(&b, "lxc.rootfs.path = overlay:/golden/desk/rootfs:/data/lxc/x/upper");
	has(&b, "lxc.cgroup.memory.limit_in_bytes = 268435456");
	has(&b, "lxc.cgroup.pids.max = 100");
	has(&b, "lxc.cgroup.cpu.cfs_quota_us = 100000");
	has(&b, "lxc.mount.entry = /data/lxc/x/run run/puesto none bind,create=dir,rw,nosuid,nodev,noexec 0 0");
	has(&b, "lxc.mount.entry = /usr/libexec/puesto usr/libexec/puesto none bind,create=dir,ro,nosuid,nodev 0 0");
	cr_assert_null(strstr(pst_buf_cstr(&b), "token"));
	cr_assert_null(strstr(pst_buf_cstr(&b), "apparmor"), "a liblxc without it refuses the word");
	pst_buf_finish(&b);
}

Test(config, networks_layers_and_unified_groups_have_their_own_lines)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct pst_buf b;

	contract_request(&r, "/images/demo/1");
	pst_strlcpy(r.network, sizeof(r.network), "host");
	site.unified = site.apparmor = true;
	pst_buf_init(&b, 65536);
	pst_buf_put_str(&b, "\n");
	cr_assert_eq(config_write(&b, &site, &r, 5000, &err), 0, "%s", err.text);
	has(&b, "lxc.net.0.link = lxcbr0");
	has(&b, "lxc.rootfs.path = overlay:/images/demo/1/layer:/golden/desk/rootfs:/data/lxc/x/upper");
	has(&b, "lxc.cgroup2.memory.max = 268435456");
	has(&b, "lxc.cgroup2.cpu.max = 100000 100000");
	has(&b, "lxc.apparmor.profile = unchanged");
	cr_assert_null(strstr(pst_buf_cstr(&b), "lxc.cgroup.memory"));
	pst_buf_finish(&b);
}

Test(config, what_would_break_a_line_is_refused)
{
	static const char *const bad[] = { "/a b", "/a\nlxc.cap.keep = sys_admin", "/a:b", "/a,b" };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct pst_buf b;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_site s = site;

		contract_request(&r, "ref:desk");
		pst_buf_init(&b, 65536);
		s.base = bad[i];
		cr_assert_eq(config_write(&b, &s, &r, 5000, &err), PST_EINVAL, "%s", bad[i]);
		s = site;
		s.bridge = bad[i];
		cr_assert_eq(config_write(&b, &s, &r, 5000, &err), PST_EINVAL, "%s", bad[i]);
		pst_buf_finish(&b);
	}
	contract_request(&r, "ref:desk");
	snprintf(r.hostname, sizeof(r.hostname), "a b");
	pst_buf_init(&b, 65536);
	cr_assert_eq(config_write(&b, &site, &r, 5000, &err), PST_EINVAL, "liblxc splits the command at spaces");
	pst_buf_finish(&b);
	contract_request(&r, "ref:desk");
	pst_buf_init(&b, 100);
	cr_assert_eq(config_write(&b, &site, &r, 5000, &err), PST_ELIMIT);
	pst_buf_finish(&b);
}
