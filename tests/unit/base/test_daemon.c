/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start of a program: words, pidfile, ready notice, privileges. */
#include "base/daemon.h"

#include "base/mem.h"
#include "tests/unit/base/util.h"
#include "tests/unit/fine.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static const struct pst_daemon_options options = { .program = "puesto-test", .summary = "Tests." };

static int parse(const char *const *words, struct pst_conf **ret_conf, int *ret_rest, struct pst_err *err)
{
	char *argv[16] = { "puesto-test" };
	int argc = 1;

	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	*ret_conf = NULL;
	return pst_daemon_parse(argc, argv, &options, ret_conf, ret_rest, err);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(daemon, understands_its_words)
{
	struct pst_conf *c;
	struct pst_err err;
	int rest;

	cr_assert_eq(parse(WORDS("--set", "a.b=c", "--set=log.level=debug"), &c, NULL, &err), 0, "%s", err.text);
	cr_assert_str_eq(pst_conf_str(c, "a", "b", NULL), "c");
	pst_conf_destroy(c);
	cr_assert_eq(parse(WORDS("--set", "a.b=c", "verb", "--set"), &c, &rest, &err), 0);
	cr_assert_eq(rest, 3);
	pst_conf_destroy(c);
	cr_assert_eq(parse(WORDS("--version"), &c, NULL, &err), 1);
	cr_assert_eq(parse(WORDS("--help"), &c, NULL, &err), 1);
	cr_assert_eq(parse(WORDS("word"), &c, NULL, &err), PST_EINVAL);
	cr_assert_eq(parse(WORDS("--nonsense"), &c, NULL, &err), PST_EINVAL);
	cr_assert_eq(parse(WORDS("--set", "x"), &c, NULL, &err), PST_EINVAL);
	cr_assert_eq(parse(WORDS("--config", "/nonexistent"), &c, NULL, &err), PST_ENOTFOUND);
	cr_assert_eq(parse(WORDS("--set", "log.level=loud"), &c, NULL, &err), PST_EINVAL);
	cr_assert_eq(parse(WORDS("--set", "log.format=xml"), &c, NULL, &err), PST_EINVAL);
	cr_assert_null(c);
}

Test(daemon, a_default_file_that_is_not_there_is_no_error)
{
	const struct pst_daemon_options o = { .program = "puesto-test", .summary = "Tests.", .default_config = "/nonexistent/puesto.conf" };
	char *argv[] = { "puesto-test" };
	struct pst_conf *c = NULL;
	struct pst_err err;

	FINE(pst_daemon_parse(1, argv, &o, &c, NULL, &err));
	pst_conf_destroy(c);
}

Test(daemon, a_pidfile_has_one_owner)
{
	char dir[64], path[96], text[32] = "";
	struct pst_err err;
	int fd, again;

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/x.pid", dir);
	fd = pst_pidfile_open(path, &err);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pst_pidfile_open(path, &err), PST_EBUSY);
	snprintf(text, sizeof(text), "process %d", getpid());
	cr_assert(strstr(err.text, text), "%s", err.text);
	pst_pidfile_close(path, fd);
	cr_assert_neq(access(path, F_OK), 0);
	again = pst_pidfile_open(path, &err);
	cr_assert_geq(again, 0);
	pst_pidfile_close(path, again);
	temp_dir_remove(dir);
}

Test(daemon, tells_systemd_when_it_is_ready)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[64], text[32] = "";

	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(pst_sd_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_eq(pst_sd_notify("READY=1"), PST_EINVAL);

	temp_dir_make(dir);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/n", dir);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	cr_assert_eq(pst_sd_notify("READY=1"), PST_EIO);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(pst_sd_notify("READY=1"), 0);
	cr_assert_eq(recv(fd, text, sizeof(text) - 1, 0), 7);
	cr_assert_str_eq(text, "READY=1");
	close(fd);
	temp_dir_remove(dir);
}

Test(daemon, drops_privileges_for_good)
{
	struct pst_err err;
	uid_t uid = getuid();
	gid_t gid = getgid();
	struct rlimit core;

	cr_assert_eq(pst_user_find("no-such-user-here", &uid, &gid, &err), PST_ENOTFOUND);
	cr_assert_eq(pst_user_find("root", &uid, &gid, &err), 0);
	cr_assert_eq(uid, 0);
	uid = getuid() == 0 ? 65534 : getuid();
	gid = getuid() == 0 ? 65534 : getgid();
	cr_assert_eq(pst_drop_privileges(uid, gid, &err), 0, "%s", err.text);
	cr_assert_eq(geteuid(), uid);
	cr_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	cr_assert_eq(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	cr_assert_eq(getrlimit(RLIMIT_CORE, &core), 0);
	cr_assert_eq(core.rlim_max, 0);
	cr_assert_eq(umask(0), 0027);
	cr_assert_neq(setuid(0), 0);
	cr_assert_eq(pst_drop_privileges(0, 0, &err), PST_EDENIED);
}
