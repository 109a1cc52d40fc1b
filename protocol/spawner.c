/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The root part of the gateway: fork and exec of workers, display links, certificate files. */
#include "protocol/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/gate/network.h"
#include "protocol/gate/spawn_wire.h"
#include "protocol/spawn_exec.h"
#include "protocol/spawn_open.h"

#define WORKERS_MAX 4096
#define STOP_WAIT_MS 5000

struct child {
	pid_t pid; /* 0: free */
	uint32_t serial;
	unsigned slot; /* uid = uid_first + slot */
};

struct spawner {
	const struct spawner_params *p;
	int signal_fd;
	bool gate_is_gone;
	int gate_status;
	struct child children[WORKERS_MAX];
};

/* Answers the gate. A full socket means a gate that no longer reads, which is then better ended; one that has closed its end ends already. */
static void answer(struct spawner *s, const struct spawn_reply *reply, const int *fds, size_t n_fds)
{
	char control[CMSG_SPACE(sizeof(int) * SPAWN_FDS_MAX)] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)reply, sizeof(*reply) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	if (sendmsg(s->p->gate_fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE && errno != ECONNRESET) {
		fprintf(stderr, "puesto-gateway: spawner cannot answer the gate: %s; ending it\n", strerror(errno));
		kill(s->p->gate_pid, SIGTERM);
	}
}

static struct child *free_child(struct spawner *s)
{
	unsigned max = s->p->workers_max && s->p->workers_max < WORKERS_MAX ? s->p->workers_max : WORKERS_MAX;

	if (s->p->uid_first && s->p->uid_count < max)
		max = s->p->uid_count;
	for (unsigned i = 0; i < max; i++)
		if (!s->children[i].pid)
			return &s->children[i];
	return NULL;
}

static const char *const fronts[SPAWN_FRONTS] = { [SPAWN_FRONT_WS] = "ws", [SPAWN_FRONT_RDP] = "rdp", [SPAWN_FRONT_RFB] = "rfb", [SPAWN_FRONT_SEAT] = "seat" };

/* Fills the free child c with a process under that place's uid; its pid or -errno. */
static int start(struct spawner *s, struct child *c, struct spawn_exec *exec, uint32_t serial)
{
	int pid;

	exec->uid = s->p->uid_first ? s->p->uid_first + (uid_t)(c - s->children) : 0;
	pid = spawn_exec(exec);
	if (pid > 0)
		*c = (struct child){ .pid = pid, .serial = serial, .slot = (unsigned)(c - s->children) };
	return pid;
}

static void do_worker(struct spawner *s, const struct spawn_request *r, const int *fds, size_t n_fds)
{
	struct spawn_reply reply = { .op = r->op, .serial = r->serial };
	struct child *c = free_child(s);
	const char *const argv[] = { "puesto-worker", "--front", r->front < SPAWN_FRONTS ? fronts[r->front] : "", NULL };
	const char *path = r->front == SPAWN_FRONT_RDP ? s->p->worker_rdp_path : r->front == SPAWN_FRONT_SEAT ? s->p->worker_seat_path : s->p->worker_path;
	struct spawn_exec exec = { .path = path, .argv = argv, .fds = fds, .n_fds = 2, .memory_max = s->p->memory_max };
	int pid;

	if (n_fds != 2 || r->front >= SPAWN_FRONTS || !c) {
		reply.error = c ? EINVAL : EAGAIN;
		answer(s, &reply, NULL, 0);
		return;
	}
	pid = start(s, c, &exec, r->serial);
	reply.pid = pid > 0 ? pid : 0;
	reply.error = pid > 0 ? 0 : -pid;
	reply.uid = exec.uid;
	answer(s, &reply, NULL, 0);
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* A helper with fds[0] as its end of the link and the three files beside it; its pid or -errno. */
static int start_link(struct spawner *s, const struct spawn_request *r, int *fds)
{
	const char *const files[] = { s->p->link_ca, s->p->link_cert, s->p->link_key };
	char port[8];
	const char *const argv[] = { "puesto-link", r->host, port, r->desktop, NULL };
	struct spawn_exec exec = { .path = s->p->link_path, .argv = argv, .fds = fds, .n_fds = 4, .memory_max = s->p->memory_max, .needs_network = true };
	struct child *c = free_child(s);

	for (int i = 0; i < 3; i++) {
		fds[1 + i] = open(files[i], O_RDONLY | O_CLOEXEC);
		if (fds[1 + i] < 0)
			return -errno;
	}
	snprintf(port, sizeof(port), "%u", r->port);
	return c ? start(s, c, &exec, r->serial) : -EAGAIN;
}

/* The helper dials, with a deadline, while we go on: what goes wrong it tells the worker over the link itself. */
static int open_remote(struct spawner *s, const struct spawn_request *r)
{
	int fds[4] = { -1, -1, -1, -1 }, pair[2], pid;

	if (!spawn_is_desktop(r->desktop) || r->port == 0 || r->port > 65535 || !network_list_has(s->p->link_networks, r->host))
		return -EACCES;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	fds[0] = pair[0];
	pid = start_link(s, r, fds);
	close_all(fds, 4);
	if (pid > 0)
		return pair[1];
	close(pair[1]);
	return pid;
}

static void do_connect(struct spawner *s, const struct spawn_request *r)
{
	struct spawn_reply reply = { .op = r->op, .serial = r->serial };
	int fd = r->host[0] ? open_remote(s, r) : spawn_open_display(s->p->desktops_dir, r->desktop);

	reply.error = fd < 0 ? -fd : 0;
	answer(s, &reply, &fd, fd < 0 ? 0 : 1);
	if (fd >= 0)
		close(fd);
}

static void do_credentials(struct spawner *s, const struct spawn_request *r)
{
	struct spawn_reply reply = { .op = r->op, .serial = r->serial };
	int fds[2] = { open(s->p->cert_path, O_RDONLY | O_CLOEXEC), -1 };

	if (fds[0] >= 0)
		fds[1] = open(s->p->key_path, O_RDONLY | O_CLOEXEC);
	if (fds[0] < 0 || fds[1] < 0)
		reply.error = errno;
	answer(s, &reply, fds, reply.error ? 0 : 2);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void do_kill(struct spawner *s, const struct spawn_request *r)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (s->children[i].pid && s->children[i].serial == r->serial)
			kill(s->children[i].pid, SIGKILL);
}

static void dispatch(struct spawner *s, const struct spawn_request *r, const int *fds, size_t n_fds)
{
	switch (r->op) {
	case SPAWN_WORKER:
		do_worker(s, r, fds, n_fds);
		break;
	case SPAWN_CONNECT:
		do_connect(s, r);
		break;
	case SPAWN_CREDENTIALS:
		do_credentials(s, r);
		break;
	case SPAWN_KILL:
		do_kill(s, r);
		break;
	default:
		break;
	}
}

/* Reads one request with its descriptors; false when the gate is gone or broke the form. */
static bool read_request(struct spawner *s)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * SPAWN_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct spawn_request r;
	struct iovec iov = { &r, sizeof(r) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
	int fds[SPAWN_FDS_MAX] = { -1, -1 };
	size_t n_fds = 0;
	ssize_t n = recvmsg(s->p->gate_fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
		}
	r.desktop[sizeof(r.desktop) - 1] = '\0';
	r.host[sizeof(r.host) - 1] = '\0';
	if (n == sizeof(r) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		dispatch(s, &r, fds, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return n > 0;
}

static void reap(struct spawner *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->p->gate_pid) {
			s->gate_is_gone = true;
			s->gate_status = status;
			continue;
		}
		for (unsigned i = 0; i < WORKERS_MAX; i++)
			if (s->children[i].pid == pid) {
				struct spawn_reply reply = { .op = SPAWN_EXITED, .serial = s->children[i].serial, .pid = pid, .status = status };

				s->children[i].pid = 0;
				answer(s, &reply, NULL, 0);
			}
	}
}

static void on_signal(struct spawner *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else if (!s->gate_is_gone)
			kill(s->p->gate_pid, (int)info.ssi_signo);
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void kill_workers(struct spawner *s)
{
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		if (s->children[i].pid)
			kill(s->children[i].pid, SIGKILL);
}

/* Serves until the gate's process has ended, also when it closed its end first (then it has a few seconds left). */
static void serve(struct spawner *s)
{
	struct pollfd fds[2] = { { s->p->gate_fd, POLLIN, 0 }, { s->signal_fd, POLLIN, 0 } };
	int wait = -1;

	while (!s->gate_is_gone) {
		int n = poll(fds, 2, wait);

		if (n == 0)
			kill(s->p->gate_pid, SIGKILL);
		if (n > 0 && fds[1].revents)
			on_signal(s);
		if (n > 0 && fds[0].revents && !read_request(s)) {
			fds[0].fd = -1;
			fds[0].revents = 0;
			wait = STOP_WAIT_MS;
		}
	}
}

int spawner_run(const struct spawner_params *p)
{
	struct spawner *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return EXIT_FAILURE;
	s->p = p;
	s->signal_fd = open_signals();
	if (s->signal_fd < 0) {
		kill(p->gate_pid, SIGTERM);
		free(s);
		return EXIT_FAILURE;
	}
	reap(s);
	serve(s);
	kill_workers(s);
	close(p->gate_fd);
	close(s->signal_fd);
	status = s->gate_status;
	free(s);
	if (WIFSIGNALED(status))
		fprintf(stderr, "puesto-gateway: the gate ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
