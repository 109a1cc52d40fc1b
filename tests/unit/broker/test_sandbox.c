/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The broker's door: a database works behind it, a program does not start. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/daemon.h"
#include "broker/sandbox.h"
#include "db/db.h"

static char dir[64];

static int can_work(void)
{
	struct pst_err err;
	struct db *db;
	char path[96], copy[96];

	snprintf(path, sizeof(path), "%s/b.db", dir);
	snprintf(copy, sizeof(copy), "%s/copy.db", dir);
	if (db_open(path, &db, &err) < 0 || db_migrate(db, &err) < 0 || db_backup(db, copy, &err) < 0)
		return 1;
	db_close(db);
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 && pst_pidfile_open(path, &err) >= 0 ? 0 : 2;
}

static int unknown_is_refused(void)
{
	return chroot("/") == 0 || errno != EPERM || socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}

static int do_exec(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

static int do_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0;
}

static int do_uid(void)
{
	return setuid(0) != 0;
}

static int do_kill(void)
{
	return kill(getppid(), 0) != 0;
}

static int behind_the_door(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct pst_err err;

		signal(SIGSYS, SIG_DFL);
		if (pst_process_harden(&err) < 0 || sandbox_broker_enter(&err) < 0)
			_exit(99);
		_exit(what());
	}
	waitpid(pid, &status, 0);
	return status;
}

Test(sandbox, test_a_database_works_and_a_program_does_not_start)
{
	int (*const wishes[])(void) = { do_exec, do_trace, do_uid, do_kill };

	snprintf(dir, sizeof(dir), "/tmp/puesto-broker-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(behind_the_door(can_work), 0);
	cr_assert_eq(behind_the_door(unknown_is_refused), 0);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		int status = behind_the_door(wishes[i]);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "wish %zu gave %x", i, status);
	}
}
