/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cable to a bridge, in a network namespace of the test's own. */
#include "broker/hypervisor/qemu/tap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

static void namespace_enter(void)
{
	int control;

	if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		cr_skip("network namespaces need root");
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("sysfs", "/sys", "sysfs", 0, NULL), 0);
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(control, SIOCBRADDBR, "pqtest0") < 0)
		cr_skip("this kernel has no bridges");
	close(control);
}

static char first(const char *path)
{
	char c = '?';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, 1) != 1)
		c = '?';
	close(fd);
	return c;
}

Test(tap, is_on_its_bridge_alone)
{
	struct pst_err err = PST_ERR_INIT;
	int fd;

	namespace_enter();
	fd = tap_open("pq6123456", "pqtest0", &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	cr_expect_eq(first("/sys/class/net/pq6123456/brport/isolated"), '1');
	cr_expect_eq(access("/sys/class/net/pqtest0/brif/pq6123456", F_OK), 0);
	cr_expect_eq(tap_open("pq6123456", "pqtest0", &err), PST_EBUSY, "%s", err.text);
	close(fd);
	cr_expect_eq(access("/sys/class/net/pq6123456", F_OK), -1, "it goes with its descriptor");
}

Test(tap, without_the_bridge_there_is_none)
{
	struct pst_err err = PST_ERR_INIT;

	namespace_enter();
	cr_expect_eq(tap_open("pq6123456", "nowhere0", &err), PST_ENOTFOUND, "%s", err.text);
	cr_expect_not_null(strstr(err.text, "nowhere0"));
	cr_expect_eq(access("/sys/class/net/pq6123456", F_OK), -1);
}

Test(tap, a_bridges_name_is_one)
{
	static const struct {
		const char *name;
		bool is_valid;
	} cases[] = { { "br0", true }, { "virbr-desk_1.2", true }, { "", false }, { "a/b", false }, { "..", false }, { "a b", false },
		{ "sixteen-letters!", false }, { "exactly15letter", true }, { "exactly16letters", false } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(tap_bridge_valid(cases[i].name), cases[i].is_valid, "%s", cases[i].name);
}
