/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fills named pipes. */
#include "broker/hypervisor/libvirt/pump.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_SIZE (1 << 20)

struct pump {
	char path[PATH_MAX];
	int pipe, stop, file;
	pthread_t thread;
	off_t begin, at;
	size_t done, len;
	char head[];
};

/* 1: all is in the pipe. 0: it is full. */
static int fill(struct pump *p)
{
	while (p->done < p->len) {
		ssize_t n = write(p->pipe, p->head + p->done, p->len - p->done);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		p->done += (size_t)n;
	}
	for (;;) {
		ssize_t n = sendfile(p->pipe, p->file, &p->at, PIPE_SIZE);

		if (n == 0)
			return 1;
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
	}
}

static int path_make(struct pump *p, struct pst_err *err)
{
	if (unlink(p->path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "%.200s", p->path);
	if (mkfifo(p->path, 0600) < 0)
		return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%.200s", p->path);
	return 0;
}

/* For one reader, who comes to an end: also of a file that is shorter than it should be. */
static void serve(struct pump *p)
{
	struct pollfd fds[] = { { .fd = p->stop, .events = POLLIN }, { .fd = p->pipe, .events = POLLOUT } };

	p->at = p->begin;
	p->done = 0;
	if (fcntl(p->pipe, F_SETFL, O_NONBLOCK) < 0)
		return;
	(void)fcntl(p->pipe, F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one is slower */
	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents || fill(p) != 0)
			break;
	}
}

static bool is_over(const struct pump *p)
{
	struct pollfd stop = { .fd = p->stop, .events = POLLIN };

	return poll(&stop, 1, 0) > 0;
}

/*
 * libvirt 9.0 opens the file once, later ones for its head, and then again for all of it. Each reader has a pipe of his own: the next
 * one's takes the name before the first byte goes into this one, so nobody finds what another has left.
 */
static void *pump_main(void *arg)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct pump *p = arg;
	sigset_t pipe;
	int rc = 0;

	/* A reader that gives up is an error of write, and no signal. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	while (rc == 0 && !is_over(p)) {
		p->pipe = open(p->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW); /* waits for a reader, or for pump_end */
		if (p->pipe < 0)
			return NULL;
		rc = path_make(p, &ignored);
		serve(p);
		pst_fd_close(&p->pipe);
	}
	return NULL;
}

static int pump_open(struct pump *p, struct pst_err *err)
{
	if (path_make(p, err) < 0)
		return err->code;
	p->stop = eventfd(0, EFD_CLOEXEC);
	return p->stop < 0 ? pst_err_sys(err, PST_ELIMIT, errno, "%.200s", p->path) : 0;
}

static void pump_close(struct pump *p)
{
	pst_fd_close(&p->pipe);
	pst_fd_close(&p->stop);
	unlink(p->path);
	free(p);
}

struct pump *pump_begin(const char *path, const void *head, size_t len, int file, uint64_t at, struct pst_err *err)
{
	struct pump *p = pst_zalloc(1, sizeof(*p) + len);
	int rc;

	if (!p || pst_strlcpy(p->path, sizeof(p->path), path) < 0) {
		free(p);
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	p->pipe = p->stop = -1;
	p->file = file;
	p->begin = (off_t)at;
	p->len = len;
	memcpy(p->head, head, len);
	if (pump_open(p, err) == 0) {
		rc = pthread_create(&p->thread, NULL, pump_main, p);
		if (rc == 0)
			return p;
		pst_err_sys(err, PST_EBUSY, rc, "start a thread");
	}
	pump_close(p);
	return NULL;
}

void pump_end(struct pump *p)
{
	uint64_t one = 1;
	int reader;

	if (!p)
		return;
	while (write(p->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	/* Whoever waits for a reader has looked for the word before it was said, and his pipe has its name already. */
	reader = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	pthread_join(p->thread, NULL);
	pst_fd_close(&reader);
	pump_close(p);
}
