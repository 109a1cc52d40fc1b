/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor. One poll() over a signalfd, the services' output and the X server's
 * readiness pipe; it sleeps whenever nothing of these moves.
 */
#include "broker/hypervisor/desktop/init.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_LAST_MS 10000
#define STABLE_MS 20000 /* a service that ran so long starts again at once */
#define END_GRACE_MS 2000
#define EXIT_MISSING 127

/*
 *	WAITING --(needs hold, pause over)--> RUNNING --(ended)--> WAITING
 *	                                        |--(one-shot ended well)--> DONE
 *	                                        '--(optional and not there)--> ABSENT
 */
enum phase {
	WAITING,
	RUNNING,
	DONE,
	ABSENT,
};

struct runner {
	const struct session_service *service;
	enum phase phase;
	pid_t pid;
	uint64_t started_ms, due_ms;
	uint32_t backoff_ms;
};

struct init {
	const struct session *session;
	struct runner runners[SESSION_SERVICES_MAX];
	unsigned have; /* SESSION_... that hold */
	int signals, output, output_in, ready, kept;
	unsigned x_failures;
	bool ending, resting;
	uint64_t end_ms;
};

/* In the child: nothing of process 1 goes along but the output pipe. */
static _Noreturn void child_exec(const struct init *in, const struct session_service *s, int ready_fd)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, 0);
	dup2(in->output_in, 1);
	dup2(in->output_in, 2);
	if (ready_fd >= 0 && dup2(ready_fd, SESSION_DISPLAYFD) >= 0)
		fcntl(SESSION_DISPLAYFD, F_SETFD, 0);
	/* The home may be exchanged below what stays. */
	if (chdir(s->stays ? "/" : getenv("HOME")) < 0)
		dprintf(2, "chdir to the home: %s\n", strerror(errno));
	execvp(s->argv[0], (char *const *)s->argv);
	_exit(errno == ENOENT ? EXIT_MISSING : 126);
}

static int ready_pipe(struct init *in)
{
	int fds[2];

	pst_fd_close(&in->ready);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	in->ready = fds[0];
	return fds[1];
}

/* Of an X server that was killed. */
static void remove_x_lock(const char *display)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/.X%s-lock", display + 1);
	unlink(path);
}

static void runner_start(struct init *in, struct runner *r, uint64_t now)
{
	int ready_fd = r->service->is_x ? ready_pipe(in) : -1;
	pid_t pid;

	if (r->service->is_x)
		remove_x_lock(r->service->argv[1]);
	pid = fork();
	if (pid == 0)
		child_exec(in, r->service, ready_fd);
	pst_fd_close(&ready_fd);
	if (pid < 0) {
		pst_warn("cannot start %s: %s", r->service->name, strerror(errno));
		r->due_ms = now + BACKOFF_LAST_MS;
		return;
	}
	pst_info("%s started pid=%d", r->service->name, (int)pid);
	r->pid = pid;
	r->phase = RUNNING;
	r->started_ms = now;
}

static bool may_start(const struct init *in, const struct runner *r)
{
	return (r->service->needs & ~in->have) == 0 && (r->service->stays || !in->resting);
}

static void start_due(struct init *in, uint64_t now)
{
	for (size_t i = 0; i < in->session->services_n; i++) {
		struct runner *r = &in->runners[i];

		if (r->phase == WAITING && now >= r->due_ms && may_start(in, r))
			runner_start(in, r, now);
	}
}

/* Milliseconds until start_due has work, or -1. */
static int next_due(const struct init *in, uint64_t now)
{
	uint64_t first = in->ending ? in->end_ms : UINT64_MAX;

	for (size_t i = 0; i < in->session->services_n && !in->ending; i++) {
		const struct runner *r = &in->runners[i];

		if (r->phase == WAITING && may_start(in, r))
			first = PST_MIN(first, r->due_ms);
	}
	if (first == UINT64_MAX)
		return -1;
	return first <= now ? 0 : (int)PST_MIN(first - now, (uint64_t)60000);
}

static bool is_staying(const struct init *in, pid_t pid)
{
	for (size_t i = 0; i < in->session->services_n; i++) {
		if (in->runners[i].pid == pid && in->runners[i].service->stays)
			return true;
	}
	return false;
}

/* Kills what is not a service that stays, and takes back what one-shots had given. */
static void session_end(struct init *in, uint64_t now)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (pid > 1 && pid != getpid() && !is_staying(in, pid))
			kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
	in->have &= SESSION_X;
	for (size_t i = 0; i < in->session->services_n; i++) {
		struct runner *r = &in->runners[i];

		if (r->phase == DONE)
			r->phase = WAITING;
		if (!r->service->stays) {
			r->due_ms = now;
			r->backoff_ms = 0;
		}
	}
}

static void x_lost(struct init *in, uint64_t now)
{
	if (!(in->have & SESSION_X))
		in->x_failures++;
	in->have = 0;
	session_end(in, now);
}

static void pause_next(struct runner *r, uint64_t now)
{
	if (now - r->started_ms >= STABLE_MS)
		r->backoff_ms = 0;
	r->backoff_ms = r->backoff_ms == 0 ? BACKOFF_FIRST_MS :
		PST_MIN(r->backoff_ms * 2, (uint32_t)BACKOFF_LAST_MS);
	r->due_ms = now + r->backoff_ms;
	r->phase = WAITING;
}

static void runner_ended(struct init *in, struct runner *r, int status, uint64_t now)
{
	const struct session_service *s = r->service;
	bool missing = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MISSING;

	r->pid = 0;
	if (s->gives && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		r->phase = DONE;
		in->have |= s->gives;
		return;
	}
	if (missing && s->optional) {
		pst_warn("%s (%s) is not installed in the image; going on without it", s->name, s->argv[0]);
		r->phase = ABSENT;
		in->have |= s->gives;
		return;
	}
	pause_next(r, now);
	if (!in->ending)
		pst_warn("%s ended (%s %d); again in %u ms", s->name,
			WIFSIGNALED(status) ? "signal" : missing ? "not found, status" : "status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), r->backoff_ms);
	if (s->is_x)
		x_lost(in, now);
}

static void reap(struct init *in, uint64_t now)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < in->session->services_n; i++) {
			if (in->runners[i].pid == pid)
				runner_ended(in, &in->runners[i], status, now);
		}
	}
	if (pid < 0 && errno == ECHILD && in->ending)
		in->end_ms = now; /* nobody is left */
}

static void signals_read(struct init *in, uint64_t now)
{
	struct signalfd_siginfo si;

	while (read(in->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGTERM && (pid_t)si.ssi_pid == getppid() && !in->ending) {
			/* Process 1 has pid 0 for a parent: one that its namespace cannot see, the outside. */
			pst_info("told to end");
			in->ending = true;
			in->end_ms = now + END_GRACE_MS;
			kill(-1, SIGTERM);
		} else if (si.ssi_signo == SIGHUP && !in->ending && (!in->resting || si.ssi_uid == 0)) {
			pst_info("the session ends and begins again");
			in->resting = false;
			session_end(in, now);
		} else if (si.ssi_signo == SIGUSR1 && si.ssi_uid == 0) {
			pst_info("the session ends and rests");
			in->resting = true;
			session_end(in, now);
		}
	}
	reap(in, now);
}

static void output_read(struct init *in)
{
	char text[4096];
	ssize_t n = read(in->output, text, sizeof(text));
	struct stat st;

	if (n <= 0)
		return;
	if (fstat(in->kept, &st) == 0 && st.st_size > INIT_OUTPUT_MAX)
		(void)!ftruncate(in->kept, 0);
	(void)!write(in->kept, text, (size_t)n);
}

static void ready_read(struct init *in)
{
	char text[16];
	ssize_t n = read(in->ready, text, sizeof(text));

	/* The number and its newline come in two writes, and the server dies of a closed pipe. */
	if ((n < 0 && errno == EINTR) || (n > 0 && !memchr(text, '\n', (size_t)n)))
		return;
	if (n > 0) {
		pst_info("the X server answers");
		in->have |= SESSION_X;
		in->x_failures = 0;
	}
	pst_fd_close(&in->ready);
}

static int init_open(struct init *in)
{
	sigset_t set;
	int fds[2];

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	in->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (in->signals < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return PST_EIO;
	in->output = fds[0];
	in->output_in = fds[1];
	pst_fd_set_nonblock(in->output, 1);
	for (size_t i = 0; i < in->session->services_n; i++)
		in->runners[i].service = &in->session->services[i];
	return 0;
}

static void init_turn(struct init *in)
{
	struct pollfd fds[] = {
		{ .fd = in->signals, .events = POLLIN },
		{ .fd = in->output, .events = POLLIN },
		{ .fd = in->ready, .events = POLLIN },
	};

	if (!in->ending)
		start_due(in, pst_mono_ms());
	fds[2].fd = in->ready; /* start_due may have made a new one */
	if (poll(fds, PST_ARRAY_LEN(fds), next_due(in, pst_mono_ms())) < 0)
		return;
	if (fds[1].revents)
		output_read(in);
	if (fds[2].revents)
		ready_read(in);
	if (fds[0].revents)
		signals_read(in, pst_mono_ms());
}

static int supervise(struct init *in)
{
	if (init_open(in) < 0) {
		pst_error("cannot supervise: %s", strerror(errno));
		return 1;
	}
	while (in->x_failures < INIT_X_FAILURES_MAX) {
		init_turn(in);
		if (in->ending && pst_mono_ms() >= in->end_ms) {
			kill(-1, SIGKILL);
			return 0;
		}
	}
	output_read(in);
	pst_error("the X server did not start in %d tries; see the lines above", INIT_X_FAILURES_MAX);
	return 1;
}

int init_run(const struct session *s, int output_fd)
{
	struct init in = { .session = s, .kept = output_fd, .signals = -1, .output = -1, .ready = -1 };
	char **before = environ;
	int rc;

	environ = (char **)s->env;
	rc = supervise(&in);
	environ = before; /* the session's goes with it */
	return rc;
}
