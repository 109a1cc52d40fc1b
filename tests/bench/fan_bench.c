/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One picture for many browsers: the encoder and ws fronts as a worker has them, on socket pairs whose other ends a process of its own reads and acknowledges.
 * Prints this process's time per step, the longest step and its memory: for one viewer, for many, and for many of which one reads nothing. Sending, which each
 * viewer costs, is within the time.
 *
 *   fan_bench [viewers [trace …]]
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "encoder/encoder.h"
#include "protocol/front/ws/message.h"
#include "protocol/front/ws/ws.h"
#include "trace.h"

#define MS 1000000ull
#define VIEWERS_MAX 200
#define STEPS_MAX 150

struct client {
	struct pst_buf in;
	uint8_t frame[5]; /* of the FRAME that comes: sequence and flags */
	bool is_inside;
};

static struct {
	uv_loop_t loop;
	struct front *fronts[VIEWERS_MAX];
	int count, opened;
	struct encoder *encoder;
	struct scene *scene;
	double snapshot_ms; /* the longest turn while viewers wait for one */
} b;

/* --- the browsers: read, acknowledge, nothing else ------------------------------------------------ */

static void say(int fd, const uint8_t *bytes, uint8_t len)
{
	uint8_t m[64] = { 0, 0, 0, len };

	memcpy(m + 4, bytes, len);
	if (write(fd, m, 4u + len) < 0)
		exit(0);
}

static void take(struct client *c, int fd, const uint8_t *m, size_t len)
{
	uint8_t ack[9] = { WS_C_ACK };

	if ((m[0] & ~WS_PART) != WS_S_FRAME)
		return;
	if (!c->is_inside && len >= 6)
		memcpy(c->frame, m + 1, 5);
	c->is_inside = m[0] & WS_PART;
	if (c->is_inside || c->frame[4] & WS_FRAME_QUIET)
		return;
	memcpy(ack + 1, c->frame, 4);
	say(fd, ack, sizeof(ack));
}

static void read_client(struct client *c, int fd)
{
	uint8_t bytes[65536];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t at = 0;

	if (n == 0)
		exit(0);
	if (n < 0)
		return;
	pst_buf_append(&c->in, bytes, (size_t)n);
	while (c->in.len - at >= 4) {
		const uint8_t *p = c->in.data + at;
		size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];

		if (c->in.len - at - 4 < len)
			break;
		take(c, fd, p + 4, len);
		at += 4 + len;
	}
	pst_buf_consume(&c->in, at);
}

/* The last one is deaf where is_stalled. */
static void browse(const int *fds, int count, bool is_stalled)
{
	static const uint8_t hello[] = { 1, 0, 1, 7, 128, 4, 56, 0, 100, 0, 0, 0, 3, 0, 0, 1, 'x' };
	static struct client clients[VIEWERS_MAX];
	struct pollfd polls[VIEWERS_MAX];

	for (int i = 0; i < count; i++) {
		pst_buf_init(&clients[i].in, 1u << 20);
		polls[i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
		say(fds[i], hello, sizeof(hello));
	}
	if (is_stalled)
		polls[count - 1].fd = -1;
	while (poll(polls, (nfds_t)count, -1) > 0)
		for (int i = 0; i < count; i++)
			if (polls[i].revents)
				read_client(&clients[i], fds[i]);
}

/* --- the worker's side ---------------------------------------------------------------------------- */

static double cpu_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void on_opened(void *arg, const struct front_caps *caps)
{
	(void)arg, (void)caps;
	b.opened++;
}

static void on_join(void *arg)
{
	(void)arg;
	if (front_join(b.fronts[0], encoder_sent(b.encoder)))
		encoder_restart_videos(b.encoder);
}

static bool have_all_joined(void)
{
	for (int i = 1; i < b.count; i++) {
		struct front_path path;

		front_path(b.fronts[i], &path);
		if (!path.frames_sent)
			return false;
	}
	return true;
}

static void await_snapshot(void)
{
	while (!have_all_joined()) {
		double began = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);

		uv_run(&b.loop, UV_RUN_ONCE);
		b.snapshot_ms = PST_MAX(b.snapshot_ms, cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - began);
	}
}

static void on_ready(void *arg)
{
	(void)arg;
}

static void on_closed(void *arg, int code, const char *reason)
{
	(void)arg, (void)code;
	fprintf(stderr, "fan_bench: a viewer left: %s\n", reason);
	exit(1);
}

static const struct front_events events = { .opened = on_opened, .ready = on_ready, .join = on_join, .closed = on_closed };

static void send_frame(uint64_t now)
{
	const struct pixmap screen = b.scene->view;
	struct front_path path;
	struct encoder_budget budget;
	struct pst_err err = PST_ERR_INIT;
	struct op_list ops;

	while (!front_can_send(b.fronts[0]))
		uv_run(&b.loop, UV_RUN_ONCE);
	front_path(b.fronts[0], &path);
	budget = (struct encoder_budget){ path.budget_bytes, path.rate_kbps, path.rtt_us, false, false };
	if (encoder_plan(b.encoder, &screen, now, &budget, &ops, &err) < 0 || front_frame(b.fronts[0], &ops, encoder_sent(b.encoder), &err) < 0) {
		fprintf(stderr, "fan_bench: %s\n", err.text);
		exit(1);
	}
	uv_run(&b.loop, UV_RUN_NOWAIT);
}

static void open_fronts(int count, bool is_stalled)
{
	struct encoder_params params = { .width = TRACE_W, .height = TRACE_H, .ops = (1u << OP_KINDS) - 1, .video_align = 2, .max_video_regions = 2 };
	int ours[VIEWERS_MAX], theirs[VIEWERS_MAX];

	for (int i = 0; i < count; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
			exit(1);
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < count; i++)
			close(ours[i]);
		browse(theirs, count, is_stalled);
		exit(0);
	}
	uv_loop_init(&b.loop);
	for (b.count = 0; b.count < count; b.count++) {
		close(theirs[b.count]);
		b.fronts[b.count] = front_open(&front_ws, &(struct front_params){ .loop = &b.loop, .fd = ours[b.count], .is_authenticated = true }, &events, NULL, NULL);
	}
	while (b.opened < count)
		uv_run(&b.loop, UV_RUN_ONCE);
	b.encoder = encoder_create(&params, NULL);
	front_surface(b.fronts[0], TRACE_W, TRACE_H, NULL);
	for (int i = 1; i < count; i++)
		front_follow(b.fronts[0], b.fronts[i]);
}

static long memory_kb(const char *key)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			kb = strtol(line + strlen(key) + 1, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

static uint64_t sent_bytes(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < b.count; i++) {
		struct front_path path;

		front_path(b.fronts[i], &path);
		sum += path.bytes_sent;
	}
	return sum;
}

static uint64_t settle(uint64_t now)
{
	for (int i = 0; i < 200 && (i < 20 || encoder_has_work(b.encoder, now)); i++, now += 100 * MS) {
		send_frame(now);
		await_snapshot();
	}
	return now;
}

/* One trace with so many viewers, in a process that does nothing else. */
static void run(const struct trace *t, int count, bool is_stalled)
{
	const struct rect all = { 0, 0, TRACE_W, TRACE_H };
	uint64_t now, bytes;
	int steps = PST_MIN(t->steps, STEPS_MAX);
	double before, drawing = 0, longest = 0;

	b.scene = scene_create(TRACE_W, TRACE_H);
	trace_begin(t, b.scene);
	open_fronts(count, is_stalled);
	now = settle(1000 * MS);
	/* What the stream learnt before the viewers came is forgotten: once more for all. */
	encoder_invalidate(b.encoder, &all);
	now = settle(now);
	bytes = sent_bytes();
	before = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < steps; i++, now += (uint64_t)t->interval_ms * MS) {
		double began = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
		struct rect damage = t->step(b.scene, i);

		drawing += cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - began;
		began = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
		encoder_damage(b.encoder, &damage, 1);
		do {
			send_frame(now);
		} while (encoder_video_since(b.encoder) != UINT64_MAX);
		longest = PST_MAX(longest, cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - began);
	}
	printf("%-13s %7d %8s %9.3f %9.3f %9.1f %12ld %12ld %12.1f\n", t->name, count, is_stalled ? "1" : "-", (cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - before - drawing) / steps, longest, b.snapshot_ms, memory_kb("VmRSS:"), memory_kb("VmHWM:"),
		(double)(sent_bytes() - bytes) / 1024 / steps);
	fflush(stdout);
}

static void run_apart(const struct trace *t, int count, bool is_stalled)
{
	int status = 0;

	fflush(stdout);
	if (fork() == 0) {
		run(t, count, is_stalled);
		_exit(0);
	}
	wait(&status);
	if (status)
		exit(1);
}

static bool is_wanted(const struct trace *t, int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		if (!strcmp(argv[i], t->name))
			return true;
	return argc <= 2;
}

int main(int argc, char **argv)
{
	int many = argc > 1 ? PST_CLAMP(atoi(argv[1]), 2, VIEWERS_MAX) : 50;

	signal(SIGPIPE, SIG_IGN);
	printf("%-13s %7s %8s %9s %9s %9s %12s %12s %12s\n", "trace", "viewers", "stalled", "ms/step", "longest", "snapshot", "memory (KB)", "at most (KB)", "KB sent/step");
	for (const struct trace *t = traces; t->name; t++) {
		if (!is_wanted(t, argc, argv))
			continue;
		run_apart(t, 1, false);
		run_apart(t, many, false);
		run_apart(t, many, true);
	}
	return 0;
}
