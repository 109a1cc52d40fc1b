/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a program and listens to it. */
#include "broker/hypervisor/disk/child.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK 16384
#define POLL_MAX_MS 60000
#define LAST_WORDS_MS 2000

static char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL };

struct run {
	const struct child_params *p;
	pid_t pid;
	int out[2], words[2], failed[2]; /* pipes: stdout, stderr, a failed start */
	int in[2];                       /* sockets: stdin, where there is one */
	size_t n_in;                     /* bytes of it that are gone */
	char last[CHILD_WORDS_MAX];      /* the end of stderr, terminated */
	size_t n_last;
};

/* What the child tells about a start that failed, in one write. */
struct failure {
	int error;
	char step[40];
};

static _Noreturn void child_fail(int fd, const char *step)
{
	struct failure f = { .error = errno };

	strncpy(f.step, step, sizeof(f.step) - 1);
	ssize_t n = write(fd, &f, sizeof(f));
	_exit(n < 0 ? 126 : 127);
}

/* Between fork and exec of a process with threads: system calls only. */
static _Noreturn void child_start(const struct run *r, pid_t parent)
{
	const char *step = NULL;
	sigset_t none;
	int null;

	/* All are blocked until here, so no handler of the parent runs. */
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	null = r->in[1] >= 0 ? r->in[1] : open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(r->out[1], 1) < 0 || dup2(r->words[1], 2) < 0)
		child_fail(r->failed[1], "connect its streams");
	if (r->p->sandbox)
		step = sandbox_enter(r->p->sandbox);
	if (step)
		child_fail(r->failed[1], step);
	/* After the change of uid, which clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		child_fail(r->failed[1], "follow its parent");
	/* Everything is closed by exec: also what others have opened without CLOEXEC. */
	syscall(SYS_close_range, 3, ~0u, 1u << 2);
	execve(r->p->argv[0], (char *const *)r->p->argv, environment);
	child_fail(r->failed[1], "start it");
}

static void pipes_close(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		pst_fd_close(&r->out[i]);
		pst_fd_close(&r->words[i]);
		pst_fd_close(&r->failed[i]);
		pst_fd_close(&r->in[i]);
	}
}

static int run_start(struct run *r, struct pst_err *err)
{
	pid_t parent = getpid();
	sigset_t all, before;

	/* Only our ends do not block: the program shares the flags of its own. */
	if (pipe2(r->out, O_CLOEXEC) < 0 || pipe2(r->words, O_CLOEXEC) < 0 || pipe2(r->failed, O_CLOEXEC) < 0 ||
		pst_fd_set_nonblock(r->out[0], 1) < 0 || pst_fd_set_nonblock(r->words[0], 1) < 0)
		return pst_err_sys(err, PST_EIO, errno, "pipe");
	if ((r->p->input || r->p->talk) && pst_unix_pair(r->in, err) < 0)
		return err->code;
	if (r->in[1] >= 0)
		pst_fd_set_nonblock(r->in[1], 0);
	/* No handler of ours runs in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r->pid = fork();
	if (r->pid == 0)
		child_start(r, parent);
	int error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r->pid < 0)
		return pst_err_sys(err, PST_EIO, error, "fork");
	pst_fd_close(&r->out[1]);
	pst_fd_close(&r->words[1]);
	pst_fd_close(&r->failed[1]);
	pst_fd_close(&r->in[1]);
	return 0;
}

/* Keeps the end: the reason comes last. */
static void words_keep(struct run *r, const char *text, size_t n)
{
	size_t room = sizeof(r->last) - 1;

	if (n > room) {
		text += n - room;
		n = room;
	}
	if (r->n_last + n > room) {
		size_t drop = r->n_last + n - room;

		memmove(r->last, r->last + drop, r->n_last - drop);
		r->n_last -= drop;
	}
	/* It may repeat a stranger's bytes: they become one printable line. */
	for (size_t i = 0; i < n; i++)
		r->last[r->n_last + i] = (unsigned char)text[i] < ' ' && text[i] != '\n' ? ' ' : text[i];
	r->n_last += n;
	r->last[r->n_last] = '\0';
}

/* One read; closes fd at its end. */
static void stream_read(struct run *r, int *fd, bool is_stdout)
{
	char text[CHUNK];
	ssize_t n = read(*fd, text, sizeof(text));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		pst_fd_close(fd);
	if (n <= 0)
		return;
	if (!is_stdout)
		words_keep(r, text, (size_t)n);
	else if (r->p->said)
		r->p->said(r->p->arg, text, (size_t)n);
}

/* What it does not want to read is no failure: its status says more. */
static void input_write(struct run *r)
{
	ssize_t n = send(r->in[0], r->p->input + r->n_in, r->p->input_len - r->n_in, MSG_NOSIGNAL);

	if (n > 0)
		r->n_in += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->n_in = r->p->input_len;
}

/* Until both streams have ended; a program that closes them and goes on gets a minute afterwards. */
static int run_listen(struct run *r, uint64_t deadline_ms, struct pst_err *err)
{
	while (r->out[0] >= 0 || r->words[0] >= 0) {
		struct pollfd fds[4] = { { .fd = r->out[0], .events = POLLIN }, { .fd = r->words[0], .events = POLLIN },
			{ .fd = r->p->cancel_fd, .events = POLLIN },
			{ .fd = r->n_in < r->p->input_len ? r->in[0] : -1, .events = POLLOUT } };
		uint64_t now = pst_mono_ms();

		if (now >= deadline_ms)
			return pst_err_set(err, PST_ETIMEOUT, "%s takes longer than %u s", r->p->argv[0],
				r->p->timeout_ms / 1000);
		if (poll(fds, 4, (int)PST_MIN(deadline_ms - now, (uint64_t)POLL_MAX_MS)) < 0 && errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "poll");
		if (fds[2].revents)
			return pst_err_set(err, PST_ECLOSED, "%s was cancelled", r->p->argv[0]);
		if (fds[0].revents)
			stream_read(r, &r->out[0], true);
		if (fds[0].revents && r->p->go_on && !r->p->go_on(r->p->arg))
			return pst_err_set(err, PST_ECLOSED, "%s was stopped", r->p->argv[0]);
		if (fds[1].revents)
			stream_read(r, &r->words[0], false);
		if (fds[3].revents)
			input_write(r);
	}
	return 0;
}

/* The last line of stderr, without its end. */
static const char *last_line(struct run *r)
{
	char *line;

	while (r->n_last > 0 && strchr("\n ", r->last[r->n_last - 1]))
		r->last[--r->n_last] = '\0';
	line = strrchr(r->last, '\n');
	return line ? line + 1 : r->last;
}

static int status_of(struct run *r, int status, struct pst_err *err)
{
	const char *program = r->p->argv[0];
	struct failure f;

	if (read(r->failed[0], &f, sizeof(f)) == (ssize_t)sizeof(f))
		return pst_err_sys(err, f.error == ENOENT ? PST_ENOTFOUND : PST_EIO, f.error, "%s: %s", program, f.step);
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXFSZ || WTERMSIG(status) == SIGXCPU))
		return pst_err_set(err, PST_ELIMIT, "%s has reached its ceiling of %s", program,
			WTERMSIG(status) == SIGXCPU ? "processor time" : "a file's size");
	if (WIFSIGNALED(status))
		return pst_err_set(err, PST_EIO, "%s ended by signal %d", program, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return pst_err_set(err, PST_EIO, "%s", r->n_last ? last_line(r) : program);
	return 0;
}

/* Stops it when listening has ended early, and reaps it. */
static int run_reap(struct run *r, int rc, uint64_t deadline_ms, struct pst_err *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0), status = 0;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	uint64_t now = pst_mono_ms();

	if (rc == 0 && poll(&p, 1, deadline_ms > now ? (int)PST_MIN(deadline_ms - now, (uint64_t)POLL_MAX_MS) : 0) == 0)
		rc = pst_err_set(err, PST_ETIMEOUT, "%s does not end", r->p->argv[0]);
	if (rc < 0)
		kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	pst_fd_close(&pidfd);
	return rc < 0 ? rc : status_of(r, status, err);
}

/* One that ended while it was spoken to has said why to its stderr. */
static int run_talk(struct run *r, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = r->p->talk(r->p->arg, r->in[0], err);

	if (rc == PST_ECLOSED && run_listen(r, pst_mono_ms() + LAST_WORDS_MS, &why) == 0 && r->n_last)
		return pst_err_set(err, PST_EIO, "%s", last_line(r));
	return rc;
}

int child_run(const struct child_params *p, struct pst_err *err)
{
	struct run r = { .p = p, .out = { -1, -1 }, .words = { -1, -1 }, .failed = { -1, -1 }, .in = { -1, -1 } };
	uint64_t deadline_ms = pst_mono_ms() + p->timeout_ms;
	int rc = run_start(&r, err);

	if (rc == 0) {
		rc = p->talk ? run_talk(&r, err) : 0;
		if (rc == 0)
			rc = run_listen(&r, deadline_ms, err);
		rc = run_reap(&r, rc, deadline_ms, err);
	}
	pipes_close(&r);
	return rc;
}
