/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two ends of a socket pair: order, descriptors, back pressure, ceilings, and ends of every kind. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "protocol/link/channel.h"

struct end {
	struct link_channel *ch;
	unsigned messages, fds, bells, drained;
	uint32_t last_ready;
	bool is_closed, pauses;
	int code;
	uint64_t fd_sizes;
};

static void on_message(struct link_channel *ch, const struct link_message *m, int fd, void *arg)
{
	struct end *e = arg;
	struct stat st;

	e->messages++;
	if (m->type == LINK_READY) {
		cr_assert_eq(m->ready.sequence, e->last_ready + 1);
		e->last_ready = m->ready.sequence;
	}
	if (m->type == LINK_SURFACE) {
		cr_assert(fd >= 0 && fstat(fd, &st) == 0);
		e->fds++;
		e->fd_sizes += (uint64_t)st.st_size;
		close(fd);
	}
	if (e->pauses)
		link_channel_pause(ch, true);
}

static void on_closed(struct link_channel *ch, int code, const char *reason, void *arg)
{
	struct end *e = arg;

	cr_assert(!e->is_closed && reason[0]);
	e->is_closed = true;
	e->code = code;
}

static void on_drained(struct link_channel *ch, void *arg)
{
	((struct end *)arg)->drained++;
}

static const struct link_channel_events events = {
	.message = on_message, .closed = on_closed, .drained = on_drained
};

static void pair_open(uv_loop_t *loop, struct end *agent, struct end *worker)
{
	struct pst_err err = PST_ERR_INIT;
	int fds[2];

	uv_loop_init(loop);
	memset(agent, 0, sizeof(*agent));
	memset(worker, 0, sizeof(*worker));
	cr_assert_eq(pst_unix_pair(fds, &err), 0);
	agent->ch = link_channel_create(loop, fds[0], LINK_AGENT, &events, agent, &err);
	worker->ch = link_channel_create(loop, fds[1], LINK_WORKER, &events, worker, &err);
	cr_assert(agent->ch && worker->ch);
}

static void pair_close(uv_loop_t *loop, struct end *agent, struct end *worker)
{
	link_channel_close(agent->ch);
	link_channel_close(worker->ch);
	cr_assert_eq(pst_loop_drain(loop), 0);
}

static void ready_send(struct link_channel *ch, uint32_t sequence)
{
	struct link_message m = { .type = LINK_READY, .ready = { sequence } };

	cr_assert_eq(link_channel_send(ch, &m, -1), 0);
}

Test(channel, messages_keep_their_order_and_pauses_hold_them)
{
	struct end agent, worker;
	uv_loop_t loop;

	pair_open(&loop, &agent, &worker);
	agent.pauses = true;
	for (uint32_t i = 1; i <= 1000; i++)
		ready_send(worker.ch, i);
	for (int turns = 0; agent.messages < 1000; turns++) {
		unsigned before = agent.messages;
		uv_run(&loop, UV_RUN_NOWAIT);
		cr_assert(agent.messages <= before + 1 && turns < 100000);
		link_channel_pause(agent.ch, false);
	}
	cr_assert_eq(agent.last_ready, 1000);
	pair_close(&loop, &agent, &worker);
}

Test(channel, descriptors_arrive_with_their_message)
{
	struct end agent, worker;
	uv_loop_t loop;
	uint64_t want = 0;

	pair_open(&loop, &agent, &worker);
	for (unsigned i = 1; i <= 3; i++) {
		struct link_message m = { .type = LINK_SURFACE, .flags = LINK_FLAG_FD };
		struct link_message bell = { .type = LINK_BELL };
		m.surface.width = m.surface.height = 10;
		m.surface.stride = 40;
		m.surface.format = LINK_FORMAT_BGRX;
		m.surface.size = 400 * i;
		int fd = memfd_create("test", MFD_CLOEXEC);
		cr_assert_eq(ftruncate(fd, 400 * (off_t)i), 0);
		cr_assert_eq(link_channel_send(agent.ch, &bell, -1), 0);
		cr_assert_eq(link_channel_send(agent.ch, &m, fd), 0);
		want += 400 * i;
		close(fd);
	}
	while (worker.fds < 3)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_eq(worker.fd_sizes, want);
	cr_assert_eq(worker.messages, 6);
	pair_close(&loop, &agent, &worker);
}

Test(channel, full_queue_is_an_answer_and_drains_later)
{
	struct end agent, worker;
	uv_loop_t loop;
	static char chunk[LINK_CHUNK_MAX];
	struct link_message m = { .type = LINK_CLIPBOARD, .clipboard = { chunk, sizeof(chunk) } };
	unsigned sent = 0;

	pair_open(&loop, &agent, &worker);
	link_channel_pause(worker.ch, true);
	while (link_channel_send(agent.ch, &m, -1) == 0)
		sent++;
	cr_assert(sent >= LINK_QUEUE_MAX / LINK_FRAME_MAX && link_channel_queued(agent.ch) <= LINK_QUEUE_MAX);
	cr_assert_eq(link_channel_send(agent.ch, &m, -1), PST_ELIMIT);
	link_channel_pause(worker.ch, false);
	while (worker.messages < sent)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_eq(link_channel_queued(agent.ch), 0);
	while (agent.drained == 0)
		uv_run(&loop, UV_RUN_ONCE);
	pair_close(&loop, &agent, &worker);
}

Test(channel, broken_bytes_end_it_once_with_a_reason)
{
	struct pst_err err = PST_ERR_INIT;
	struct end agent = { 0 };
	uv_loop_t loop;
	int fds[2];

	uv_loop_init(&loop);
	cr_assert_eq(pst_unix_pair(fds, &err), 0);
	agent.ch = link_channel_create(&loop, fds[0], LINK_AGENT, &events, &agent, &err);
	cr_assert_eq(write(fds[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	while (!agent.is_closed)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_eq(agent.code, PST_EPROTO);
	cr_assert_eq(link_channel_send_bye(agent.ch, 0, "late"), PST_ECLOSED);
	link_channel_close(agent.ch);
	cr_assert_eq(pst_loop_drain(&loop), 0);
	close(fds[1]);
}

Test(channel, flush_lets_the_last_word_out)
{
	struct end agent, worker;
	uv_loop_t loop;

	pair_open(&loop, &agent, &worker);
	cr_assert_eq(link_channel_send_bye(agent.ch, PST_ECONFLICT, "moved to another client"), 0);
	link_channel_close_flush(agent.ch);
	agent.ch = NULL;
	while (!worker.is_closed)
		uv_run(&loop, UV_RUN_ONCE);
	cr_assert_eq(worker.messages, 1);
	cr_assert_eq(worker.code, PST_ECLOSED);
	pair_close(&loop, &agent, &worker);
}
