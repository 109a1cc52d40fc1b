/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the image's check in a process group of its own and keeps the first line that it says. */
#include "agent/health.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

struct health {
	uv_process_t process;
	uv_pipe_t output;
	struct pst_timer *limit;
	int open; /* handles that are not closed yet */
	bool runs, is_known, is_closed;
	char said[HEALTH_TEXT_SIZE], fault[HEALTH_TEXT_SIZE], chunk[512];
	size_t said_len;
	void (*done)(void *arg);
	void *arg;
};

static void free_when_closed(uv_handle_t *handle)
{
	struct health *h = handle->data;

	if (--h->open == 0 && h->is_closed)
		free(h);
}

static void know(struct health *h, const char *fault)
{
	if (h->is_known)
		return;
	h->is_known = true;
	snprintf(h->fault, sizeof(h->fault), "%s", fault);
	pst_timer_stop(h->limit);
	if (fault[0])
		pst_warn("the image's check failed: %s", fault);
}

static void kill_group(struct health *h)
{
	if (h->runs)
		kill(-h->process.pid, SIGKILL);
}

static void on_limit(void *arg)
{
	struct health *h = arg;
	char text[64];

	snprintf(text, sizeof(text), "it did not end within %d s", HEALTH_MS / 1000);
	know(h, text);
	kill_group(h);
	h->done(h->arg);
}

/* Bytes that are no text for people become question marks: the line goes to administrators. */
static void keep_line(struct health *h, const char *data, size_t len)
{
	for (size_t i = 0; i < len && h->said_len < sizeof(h->said) - 1; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\n' && h->said_len == 0)
			continue;
		if (c == '\n') {
			h->said_len = sizeof(h->said); /* the first line is whole */
			return;
		}
		h->said[h->said_len++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
}

static void give_chunk(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct health *h = handle->data;

	*buf = uv_buf_init(h->chunk, sizeof(h->chunk));
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	if (n > 0)
		keep_line(stream->data, buf->base, (size_t)n);
	else if (n < 0)
		uv_read_stop(stream);
}

/* What it said is in the pipe by now: one more read takes it before the answer is made. */
static void drain(struct health *h)
{
	char rest[512];
	uv_os_fd_t fd;
	ssize_t n;

	if (uv_fileno((uv_handle_t *)&h->output, &fd) == 0 && (n = read(fd, rest, sizeof(rest))) > 0)
		keep_line(h, rest, (size_t)n);
}

static void on_end(uv_process_t *process, int64_t status, int sig)
{
	struct health *h = process->data;
	char text[HEALTH_TEXT_SIZE];

	h->runs = false;
	if (h->is_known || h->is_closed)
		return;
	drain(h);
	if (h->said[0])
		snprintf(text, sizeof(text), "%s", h->said);
	else if (sig)
		snprintf(text, sizeof(text), "it was ended by signal %d", sig);
	else
		snprintf(text, sizeof(text), "it ended with %lld", (long long)status);
	know(h, status || sig ? text : "");
	h->done(h->arg);
}

static void spawn(struct health *h, uv_loop_t *loop, const char *path)
{
	char *argv[] = { (char *)path, NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&h->output },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	const uv_process_options_t options = { .exit_cb = on_end,
		.file = path,
		.args = argv,
		.flags = UV_PROCESS_DETACHED, /* a group of its own */
		.stdio_count = 3,
		.stdio = stdio };
	int rc;

	uv_pipe_init(loop, &h->output, 0);
	h->output.data = h->process.data = h;
	rc = uv_spawn(loop, &h->process, &options);
	h->open = 2; /* also a process that did not start has a handle */
	if (rc < 0) {
		know(h, uv_strerror(rc));
		return;
	}
	h->runs = true;
	uv_read_start((uv_stream_t *)&h->output, give_chunk, on_output);
	pst_timer_start(h->limit, HEALTH_MS, on_limit, h);
}

struct health *health_create(uv_loop_t *loop, const char *path, void (*done)(void *arg), void *arg)
{
	struct health *h = pst_zalloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->done = done;
	h->arg = arg;
	h->limit = pst_timer_create(loop);
	if (!h->limit) {
		free(h);
		return NULL;
	}
	if (access(path, F_OK) < 0 && errno == ENOENT)
		know(h, "");
	else
		spawn(h, loop, path);
	return h;
}

void health_close(struct health *h)
{
	if (!h)
		return;
	kill_group(h);
	pst_timer_destroy(h->limit);
	h->is_closed = true;
	if (!h->open) {
		free(h);
		return;
	}
	uv_close((uv_handle_t *)&h->output, free_when_closed);
	uv_close((uv_handle_t *)&h->process, free_when_closed);
}

bool health_is_known(const struct health *h)
{
	return h->is_known;
}

const char *health_fault(const struct health *h)
{
	return h->is_known && h->fault[0] ? h->fault : NULL;
}
