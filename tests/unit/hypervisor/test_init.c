/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Process 1 of a desktop, as that of a PID namespace of its own: it kills whom it sees. What desktops do is test_local.py's. */
#include "broker/hypervisor/desktop/init.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* An X server that never answers. Not 0: which of its expectations failed. */
static int hopeless(void)
{
	char home[] = "HOME=/", path[] = "PATH=/usr/bin:/bin", **before = environ;
	struct session s = { .services_n = 1, .services[0] = { .name = "X server", .argv = { "false", ":93" }, .is_x = true }, .env = { home, path }, .env_n = 2 };
	int output = open("/dev/null", O_WRONLY | O_CLOEXEC), rc = init_run(&s, output);

	memset(&s, 0x10, sizeof(s)); /* as its owner's end does */
	if (rc != 1)
		return 2;
	return environ == before && getenv("NOTIFY_SOCKET") == NULL ? 0 : 3;
}

/* The status of what runs as process 1 of its own namespace, with a /proc of its own. */
static int as_first(int (*run)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(77);
		pid = fork();
		if (pid == 0)
			_exit(mount("proc", "/proc", "proc", 0, NULL) < 0 ? 77 : run());
		status = pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

Test(init, gives_the_environment_back, .timeout = 60)
{
	int status = geteuid() == 0 ? as_first(hopeless) : 77;

	if (status == 77)
		cr_skip_test("needs namespaces");
	cr_assert(status == 0, "%d", status);
}
