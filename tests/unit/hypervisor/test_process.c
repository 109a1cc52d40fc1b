/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process is found again, and another with its pid is not taken for it. */
#include "broker/hypervisor/process.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Test(process, is_found_by_pid_start_and_boot_only)
{
	struct pst_err err = PST_ERR_INIT;
	struct process_id id, other;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	cr_assert_eq(process_identify(pid, &id, &err), 0, "%s", err.text);
	int fd = process_open(&id, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	other = id;
	other.start++;
	cr_assert_eq(process_open(&other, &err), PST_ENOTFOUND);
	other = id;
	other.boot[0] ^= 1;
	cr_assert_eq(process_open(&other, &err), PST_ENOTFOUND);
	kill(pid, SIGKILL);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	cr_assert_eq(poll(&p, 1, 5000), 1);
	cr_assert_eq(process_open(&id, &err), PST_ENOTFOUND, "a zombie is dead");
	waitpid(pid, NULL, 0);
	cr_assert_eq(process_open(&id, &err), PST_ENOTFOUND);
	close(fd);
}

Test(process, a_saved_one_reads_back_and_garbage_does_not)
{
	struct pst_err err = PST_ERR_INIT;
	struct process_id id, back;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/puesto-pid-%d", (int)getpid());
	cr_assert_eq(process_identify(getpid(), &id, &err), 0);
	cr_assert_eq(process_save(&id, path, &err), 0, "%s", err.text);
	cr_assert_eq(process_load(path, &back, &err), 0, "%s", err.text);
	cr_assert(back.pid == id.pid && back.start == id.start && strcmp(back.boot, id.boot) == 0);
	static const char *const bad[] = { "", "{}", "{\"pid\":1,\"start\":1,\"boot\":\"x\"}",
		"{\"pid\":\"2\",\"start\":1,\"boot\":\"x\"}", "[2]" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = fopen(path, "w");
		fputs(bad[i], f);
		fclose(f);
		cr_assert_lt(process_load(path, &back, &err), 0, "%s", bad[i]);
	}
	unlink(path);
	cr_assert_eq(process_load(path, &back, &err), PST_ENOTFOUND);
}
