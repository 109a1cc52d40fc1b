/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that is started to outlive us, seen from inside. */
#include "broker/hypervisor/qemu/spawn.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define UID 6123456

static char pid_file[64];

static int run(struct spawn_params *p, const char *script, char *out, size_t size, struct pst_err *err)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	siginfo_t info = { .si_status = -1 };
	ssize_t n;
	int pidfd;

	p->argv = script ? argv : (const char *[]){ "/nowhere/program", NULL };
	p->log_fd = memfd_create("log", MFD_CLOEXEC);
	pidfd = qm_spawn(p, err);
	if (pidfd >= 0) {
		cr_assert_eq(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
		close(pidfd);
	}
	n = pread(p->log_fd, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(p->log_fd);
	return pidfd < 0 ? pidfd : info.si_status;
}

static void need_root(void)
{
	if (geteuid() != 0)
		cr_skip("another uid needs root");
	snprintf(pid_file, sizeof(pid_file), "/tmp/puesto-spawn-%d", (int)getpid());
}

Test(spawn, it_has_a_session_a_uid_and_no_rights)
{
	struct spawn_params p = { .uid = UID, .pid_file = NULL };
	struct pst_err err = PST_ERR_INIT;
	char out[4096];

	need_root();
	cr_assert_eq(run(&p, "id -u; id -g; id -G; grep -E 'NoNewPrivs|CapEff' /proc/self/status; ulimit -c; umask; echo $HOME", out,
			     sizeof(out), &err),
		0, "%s%s", err.text, out);
	cr_expect_str_eq(out, "6123456\n6123456\n6123456\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n0\n0077\n/nonexistent\n");
	cr_assert_eq(run(&p, "test $(cut -d' ' -f6 /proc/$$/stat) = $$", out, sizeof(out), &err), 0, "a session of its own");
}

Test(spawn, it_has_what_it_is_given_and_nothing_else)
{
	int fds[2] = { memfd_create("second", 0), memfd_create("first", 0) }, left = open("/etc/passwd", O_RDONLY);
	struct spawn_params p = { .uid = UID, .fds = fds, .fds_n = 2 };
	struct pst_err err = PST_ERR_INIT;
	char out[4096];

	need_root();
	cr_assert_geq(left, 0);
	cr_assert_eq(write(fds[0], "a", 1), 1);
	cr_assert_eq(write(fds[1], "bb", 2), 2);
	cr_assert_eq(
		run(&p, "stat -L -c %s /proc/$$/fd/3; stat -L -c %s /proc/$$/fd/4; ls /proc/$$/fd", out, sizeof(out), &err),
		0, "%s", out);
	cr_expect_str_eq(out, "1\n2\n0\n1\n2\n3\n4\n");
	close(fds[0]);
	close(fds[1]);
	close(left);
}

Test(spawn, its_pid_is_on_disk_before_it_begins)
{
	struct spawn_params p = { .uid = UID, .pid_file = pid_file };
	struct pst_err err = PST_ERR_INIT;
	struct process_id id;
	char out[4096];

	need_root();
	cr_assert_eq(run(&p, "echo $$", out, sizeof(out), &err), 0, "%s", err.text);
	cr_assert_eq(process_load(pid_file, &id, &err), 0, "%s", err.text);
	cr_expect_eq(id.pid, atoi(out));
	unlink(pid_file);
}

Test(spawn, without_a_pid_on_disk_it_does_not_begin)
{
	struct spawn_params p = { .uid = UID, .pid_file = "/nowhere/pid" };
	struct pst_err err = PST_ERR_INIT;
	char out[4096];

	need_root();
	cr_expect_lt(run(&p, "echo begun", out, sizeof(out), &err), 0);
	cr_expect_str_eq(out, "");
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "nothing is left of it");
}

Test(spawn, what_cannot_be_started_is_said)
{
	struct spawn_params p = { .uid = UID };
	struct pst_err err = PST_ERR_INIT;
	char out[4096];

	need_root();
	cr_expect_eq(run(&p, NULL, out, sizeof(out), &err), PST_ENOTFOUND);
	cr_expect_not_null(strstr(err.text, "/nowhere/program"), "%s", err.text);
}
