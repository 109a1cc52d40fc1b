/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control connections: frames, calls, descriptors, limits, and ends from every side.
 * Covers: base/ctl_call.c base/ctl_frame.c */
#include "base/ctl.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two ends on one loop: `a` calls, `b` answers by its mode. */
struct pair {
	uv_loop_t loop;
	struct pst_ctl *a, *b;
	struct pst_timer *guard;
	uv_timer_t tick; /* a turn of the loop that has run its timers would block for the guard */
	int messages, dones, progresses, a_closed, b_closed;
	int last_code, last_fd;
	char last[256], reason[200];
	bool close_in_message, close_in_done;
	json_t *kept;
};

static void tick_fired(uv_timer_t *tick)
{
}

static void guard_fired(void *arg)
{
	cr_assert_fail("the test waits for an event that does not come");
}

static void b_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct pair *p = arg;
	const char *op = pst_json_str(msg, "op", 32);

	p->messages++;
	p->last_fd = fd;
	if (p->close_in_message) {
		pst_fd_close(&fd);
		p->b = NULL;
		pst_ctl_close(ctl);
	} else if (!op) {
		pst_fd_close(&fd);
	} else if (strcmp(op, "echo") == 0) {
		pst_ctl_reply_fd(ctl, msg, json_pack("{s:O}", "data", json_object_get(msg, "data")), fd);
		pst_fd_close(&fd);
	} else if (strcmp(op, "refuse") == 0) {
		struct pst_err e;
		pst_err_set(&e, PST_ENOTFOUND, "pool blue does not exist");
		pst_ctl_reply_err(ctl, msg, &e);
	} else if (strcmp(op, "slow") == 0) {
		pst_ctl_progress(ctl, msg, "progress", json_pack("{s:i}", "step", 1));
		pst_ctl_progress(ctl, msg, "stream", NULL);
		pst_ctl_reply(ctl, msg, NULL);
	} else if (strcmp(op, "keep") == 0) {
		p->kept = json_incref(msg);
	}
}

static void a_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct pair *p = arg;

	p->a_closed++;
	p->a = NULL;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	pst_ctl_close(ctl); /* superfluous but allowed */
}

static void b_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct pair *p = arg;

	p->b_closed++;
	p->b = NULL;
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
}

static const struct pst_ctl_events a_events = { .closed = a_closed };
static const struct pst_ctl_events b_events = { .message = b_message, .closed = b_closed };

static void pair_init(struct pair *p)
{
	int fds[2];

	memset(p, 0, sizeof(*p));
	p->last_fd = -1;
	uv_loop_init(&p->loop);
	cr_assert_eq(pst_unix_pair(fds, NULL), 0);
	p->a = pst_ctl_create(&p->loop, fds[0], &a_events, p);
	p->b = pst_ctl_create(&p->loop, fds[1], &b_events, p);
	cr_assert(p->a && p->b);
	p->guard = pst_timer_create(&p->loop);
	pst_timer_start(p->guard, 20000, guard_fired, NULL);
	uv_timer_init(&p->loop, &p->tick);
	uv_timer_start(&p->tick, tick_fired, 2, 2);
}

static void pair_finish(struct pair *p)
{
	pst_ctl_close(p->a);
	pst_ctl_close(p->b);
	json_decref(p->kept);
	pst_timer_destroy(p->guard);
	uv_close((uv_handle_t *)&p->tick, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&p->loop), 0, "a handle is left open");
}

#define RUN_UNTIL(p, cond) \
	do { \
		while (!(cond)) \
			uv_run(&(p)->loop, UV_RUN_ONCE); \
	} while (0)

static void done(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	struct pair *p = arg;
	struct pst_err e = PST_ERR_INIT;

	p->dones++;
	p->last_code = pst_ctl_reply_check(reply, err, &e);
	p->last_fd = fd;
	snprintf(p->last, sizeof(p->last), "%s", e.code ? e.text : "");
	if (reply && json_object_get(reply, "data"))
		snprintf(p->last, sizeof(p->last), "%s", pst_json_str(reply, "data", 200));
	if (p->close_in_done && p->a) {
		pst_ctl_close(p->a);
		p->a = NULL;
	}
}

static void progress(json_t *msg, int fd, void *arg)
{
	struct pair *p = arg;

	p->progresses++;
}

static json_t *op(const char *name)
{
	return json_pack("{s:s,s:s}", "op", name, "data", "ñ€");
}

Test(ctl, calls_are_answered_refused_and_progress)
{
	struct pair p;

	pair_init(&p);
	pst_ctl_call(p.a, op("echo"), 5000, done, &p);
	cr_assert_eq(p.dones, 0, "never from inside the call");
	RUN_UNTIL(&p, p.dones == 1);
	cr_assert_eq(p.last_code, 0);
	cr_assert_str_eq(p.last, "ñ€");
	pst_ctl_call(p.a, op("refuse"), 5000, done, &p);
	RUN_UNTIL(&p, p.dones == 2);
	cr_assert_eq(p.last_code, PST_ENOTFOUND);
	cr_assert_str_eq(p.last, "pool blue does not exist");
	pst_ctl_call_progress(p.a, op("slow"), -1, 5000, progress, done, &p);
	RUN_UNTIL(&p, p.dones == 3);
	cr_assert_eq(p.progresses, 2);
	cr_assert_eq(pst_ctl_peer(p.a)->pid, getpid());
	cr_assert_eq(pst_ctl_arg(p.a), &p);
	pair_finish(&p);
}

Test(ctl, descriptors_go_with_their_own_message)
{
	struct pair p;
	int pipe_fds[2];

	pair_init(&p);
	cr_assert_eq(pipe(pipe_fds), 0);
	/* Many plain frames around one with a descriptor: it must not end up with a neighbour. */
	for (int i = 0; i < 50; i++)
		cr_assert_eq(pst_ctl_send(p.a, json_pack("{s:s}", "op", "note")), 0);
	pst_ctl_call_progress(p.a, op("echo"), pipe_fds[1], 5000, NULL, done, &p);
	for (int i = 0; i < 50; i++)
		cr_assert_eq(pst_ctl_send(p.a, json_pack("{s:s}", "op", "note")), 0);
	close(pipe_fds[1]); /* it was duplicated */
	RUN_UNTIL(&p, p.dones == 1 && p.messages == 101);
	cr_assert_eq(p.last_code, 0);
	pst_fd_close(&p.last_fd);
	pair_finish(&p);
}

static void keep_fd(json_t *reply, int fd, const struct pst_err *err, void *arg)
{
	*(int *)arg = fd;
}

Test(ctl, a_descriptor_that_comes_back_is_the_one_that_was_sent)
{
	struct pair p;
	int pipe_fds[2], back = -2;
	char text[3] = "";

	pair_init(&p);
	cr_assert_eq(pipe(pipe_fds), 0);
	pst_ctl_call_progress(p.a, op("echo"), pipe_fds[1], 5000, NULL, keep_fd, &back);
	RUN_UNTIL(&p, back != -2);
	cr_assert_geq(back, 0);
	cr_assert(fcntl(back, F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(write(back, "hi", 2), 2);
	cr_assert_eq(read(pipe_fds[0], text, 2), 2);
	cr_assert_str_eq(text, "hi");
	pst_fd_close(&back);
	pair_finish(&p);
}

Test(ctl, calls_time_out_are_cancelled_and_end_with_the_connection)
{
	struct pair p;
	int other = 0;

	pair_init(&p);
	pst_ctl_call(p.a, op("keep"), 5, done, &p);
	RUN_UNTIL(&p, p.dones == 1);
	cr_assert_eq(p.last_code, PST_ETIMEOUT);
	cr_assert_eq(pst_ctl_reply(p.b, p.kept, NULL), 0); /* late: ignored */
	pst_ctl_call(p.a, op("note"), 0, keep_fd, &other);
	pst_ctl_call_cancel(p.a, &other);
	pst_ctl_call(p.a, op("note"), 0, done, &p);
	pst_ctl_call(p.a, op("note"), 0, done, &p);
	RUN_UNTIL(&p, p.messages == 4);
	cr_assert_eq(p.dones, 1);
	pst_ctl_close(p.b);
	p.b = NULL;
	RUN_UNTIL(&p, p.a_closed == 1);
	cr_assert_eq(p.dones, 3);
	cr_assert_eq(p.last_code, PST_ECLOSED);
	cr_assert_eq(p.b_closed, 0, "who closes is not told");
	cr_assert_str_eq(p.reason, "the peer closed the connection");
	cr_assert_eq(other, 0);
	pair_finish(&p);
}

Test(ctl, may_be_closed_in_its_own_callbacks)
{
	struct pair p;

	pair_init(&p);
	p.close_in_message = p.close_in_done = true;
	pst_ctl_call(p.a, op("echo"), 5000, done, &p);
	pst_ctl_call(p.a, op("echo"), 5000, done, &p);
	RUN_UNTIL(&p, p.dones == 2);
	cr_assert_eq(p.messages, 1);
	pair_finish(&p);
	cr_assert_eq(p.a_closed, 0);

	pair_init(&p);
	p.close_in_done = true;
	pst_ctl_call(p.a, op("echo"), 5000, done, &p);
	RUN_UNTIL(&p, p.dones == 1 && p.b_closed == 1);
	pair_finish(&p);
}

Test(ctl, refuses_what_cannot_be_sent)
{
	struct pair p;
	char *big = calloc(1, PST_CTL_FRAME_MAX + 1);

	memset(big, 'x', PST_CTL_FRAME_MAX);
	pair_init(&p);
	cr_assert_eq(pst_ctl_send(p.a, json_array()), PST_EINVAL);
	cr_assert_eq(pst_ctl_send(p.a, NULL), PST_ENOMEM);
	cr_assert_eq(pst_ctl_send(p.a, json_pack("{s:s}", "x", big)), PST_ELIMIT);
	cr_assert(!pst_ctl_is_closing(p.a), "a refused message leaves the connection whole");
	cr_assert_eq(pst_ctl_send_fd(p.a, json_object(), 9999), PST_EIO);
	pst_ctl_call(p.a, json_pack("{s:s}", "x", big), 0, done, &p);
	cr_assert_eq(p.dones, 0);
	RUN_UNTIL(&p, p.dones == 1);
	cr_assert_eq(p.last_code, PST_ELIMIT);
	cr_assert_eq(pst_ctl_reply(p.a, json_true(), NULL), 0, "no id: nothing is sent");
	pst_ctl_close(p.a);
	cr_assert_eq(pst_ctl_send(p.a, json_object()), PST_ECLOSED);
	p.a = NULL;
	pair_finish(&p);
	free(big);
}

Test(ctl, a_peer_that_does_not_read_loses_the_connection)
{
	struct pair p;
	char *big = calloc(1, 900001);
	int rc = 0;

	memset(big, 'x', 900000);
	pair_init(&p);
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = pst_ctl_send(p.a, json_pack("{s:s}", "x", big));
	cr_assert_eq(rc, PST_ELIMIT);
	cr_assert_leq(pst_ctl_queued(p.a), PST_CTL_QUEUE_MAX);
	RUN_UNTIL(&p, p.a_closed == 1);
	cr_assert_str_eq(p.reason, "the peer does not read: its queue is full");
	pair_finish(&p);
	free(big);
}

Test(ctl, large_messages_and_a_flushing_close)
{
	struct pair p;
	char *big = calloc(1, 900001);

	memset(big, 'x', 900000);
	pair_init(&p);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pst_ctl_send(p.a, json_pack("{s:s}", "x", big)), 0);
	pst_ctl_close_flush(p.a);
	p.a = NULL;
	RUN_UNTIL(&p, p.b_closed == 1);
	cr_assert_eq(p.messages, 3);
	pst_ctl_close_flush(NULL);
	pair_finish(&p);
	free(big);
}

/* Bytes as a hostile peer would send them; each ends the connection with a reason. */
Test(ctl, hostile_bytes_end_the_connection)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *reason;
	} cases[] = {
		{ "\x7f\xff\xff\xff", 4, "ceiling" },
		{ "\0\0\0\0", 4, "JSON" },
		{ "\0\0\0\2[]", 6, "object" },
		{ "\0\0\0\1{", 5, "JSON" },
		{ "\x80\0\0\2{}", 6, "descriptor" },
		{ "\0\0\0\x0d{\"a\":1,\"a\":2}", 17, "duplicate" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct pair p;
		int fds[2];

		pair_init(&p);
		pst_ctl_close(p.a);
		p.a = NULL;
		RUN_UNTIL(&p, p.b_closed == 1);
		cr_assert_eq(pst_unix_pair(fds, NULL), 0);
		p.b = pst_ctl_create(&p.loop, fds[1], &b_events, &p);
		cr_assert_eq(write(fds[0], cases[i].bytes, cases[i].len), (ssize_t)cases[i].len);
		RUN_UNTIL(&p, p.b_closed == 2);
		cr_assert(strstr(p.reason, cases[i].reason), "case %zu: %s", i, p.reason);
		close(fds[0]);
		pair_finish(&p);
	}
}

Test(ctl, frames_may_come_byte_by_byte)
{
	static const char frame[] = "\0\0\0\x0d{\"op\":\"note\"}";
	struct pair p;
	int fds[2];

	pair_init(&p);
	cr_assert_eq(pst_unix_pair(fds, NULL), 0);
	pst_ctl_close(p.b);
	p.b = pst_ctl_create(&p.loop, fds[1], &b_events, &p);
	for (size_t i = 0; i < 17; i++) {
		cr_assert_eq(p.messages, 0);
		cr_assert_eq(write(fds[0], frame + i, 1), 1);
		uv_run(&p.loop, UV_RUN_NOWAIT);
	}
	RUN_UNTIL(&p, p.messages == 1);
	close(fds[0]);
	pair_finish(&p);
}

Test(ctl, descriptors_without_messages_are_not_hoarded)
{
	struct pair p;
	int fds[2];

	pair_init(&p);
	cr_assert_eq(pst_unix_pair(fds, NULL), 0);
	pst_ctl_close(p.b);
	p.b = pst_ctl_create(&p.loop, fds[1], &b_events, &p);
	pst_ctl_set_frame_max(p.b, 100);
	for (int i = 0; i < PST_FD_MAX + 1; i++)
		cr_assert_eq(pst_fd_send(fds[0], "\0\0\0\2{}", 6, &fds[0], 1), 6);
	RUN_UNTIL(&p, p.b_closed == 1);
	cr_assert(strstr(p.reason, "more descriptors"), "%s", p.reason);
	close(fds[0]);
	pair_finish(&p);
}

Test(ctl, refuses_a_descriptor_that_is_no_socket)
{
	uv_loop_t loop;

	uv_loop_init(&loop);
	cr_assert_null(pst_ctl_create(&loop, open("/dev/null", O_RDWR), &a_events, NULL));
	cr_assert_eq(uv_loop_close(&loop), 0);
}
