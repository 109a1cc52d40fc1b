/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's door: it serves, reads web files and reaches the broker; what an attacker wants ends it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unixsock.h"
#include "protocol/gate/webfile.h"
#include "protocol/sandbox_gate.h"

static char dir[64], broker[96];
static int web, listener, broker_fd;

static void make_world(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pst_err err;
	char path[96];
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/puesto-gate-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.txt", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	cr_assert_eq(write(fd, "text", 4), 4);
	close(fd);
	snprintf(broker, sizeof(broker), "%s/broker.sock", dir);
	broker_fd = pst_unix_listen(broker, 0600, 5, &err);
	web = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert(broker_fd >= 0 && web >= 0 && bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0 && listen(listener, 1) == 0);
}

static void *in_thread(void *arg)
{
	return arg;
}

static int can_serve(void)
{
	struct webfile f;
	struct pst_err err;
	pthread_t thread;
	char text[4];
	int pair[2];

	if (webfile_open(web, "/a.txt", &f) < 0 || read(f.fd, text, 4) != 4)
		return 1;
	if (pst_unix_connect(broker, &err) < 0)
		return 2;
	if (accept4(listener, NULL, NULL, SOCK_NONBLOCK) >= 0 || errno != EAGAIN)
		return 3;
	if (pst_unix_pair_packet(pair, &err) < 0)
		return 4;
	return pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 0 : 5;
}

static int no_other_file(void)
{
	struct webfile f;

	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES || open("/tmp/x", O_CREAT | O_WRONLY, 0600) >= 0)
		return 1;
	return webfile_open(web, "/broker.txt", &f) == -404 ? 0 : 2;
}

static int do_exec(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

static int do_fork(void)
{
	return fork() >= 0;
}

static int do_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0;
}

static int do_kill(void)
{
	return kill(getppid(), 0) != 0;
}

static int do_dial(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int do_listen(void)
{
	return listen(listener, 5) != 0;
}

static int do_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0;
}

static int do_uid(void)
{
	return setuid(0) != 0;
}

static int do_write_mode(void)
{
	return chmod(broker, 0666) != 0;
}

static int behind_the_door(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct pst_err err;

		signal(SIGSYS, SIG_DFL);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (sandbox_gate_enter(web, &err) < 0)
			_exit(99);
		_exit(what());
	}
	waitpid(pid, &status, 0);
	return status;
}

Test(sandbox_gate, test_the_gate_can_do_its_work)
{
	make_world();
	cr_assert_eq(behind_the_door(can_serve), 0);
	cr_assert_eq(behind_the_door(no_other_file), 0);
}

Test(sandbox_gate, test_what_an_attacker_wants_ends_the_gate)
{
	int (*const wishes[])(void) = { do_exec, do_fork, do_trace, do_kill, do_dial, do_listen, do_code, do_uid, do_write_mode };

	make_world();
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++) {
		int status = behind_the_door(wishes[i]);

		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "wish %zu gave %x", i, status);
	}
}
