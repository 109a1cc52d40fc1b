/* SPDX-License-Identifier: GPL-3.0-or-later */
/* First bytes of a connection. */
#include "protocol/gate/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/http_conn.h"
#include "protocol/gate/rfb_hello.h"
#include "protocol/gate/session.h"
#include "protocol/gate/x224.h"

#define TLS_HANDSHAKE 0x16 /* first byte of a TLS record that begins a connection */
#define TPKT_VERSION 0x03

struct intake {
	struct gate *gate;
	struct intake *next, **at;
	enum gate_port kind;
	int fd;
	uv_poll_t poll;
	struct pst_timer *deadline;
	struct limits_key key;
	char remote[64];
	uint8_t hello[RFB_HELLO_SIZE];
	size_t hello_len;
	uint64_t began_ms;
};

static void poll_closed(uv_handle_t *h)
{
	struct intake *in = h->data;

	close(in->fd);
	free(in);
}

/* The intake is over; its place in the limits is given back unless it was handed on. */
static void intake_end(struct intake *in, bool was_handed_on)
{
	if (!was_handed_on)
		limits_closed(in->gate->limits, &in->key, false);
	*in->at = in->next;
	if (in->next)
		in->next->at = in->at;
	pst_timer_destroy(in->deadline);
	uv_close((uv_handle_t *)&in->poll, poll_closed);
}

static void refuse(struct intake *in, const char *why)
{
	static struct pst_log_gate gate;
	uint32_t held;

	if (pst_log_every(&gate, pst_mono_ms(), 200, &held))
		pst_info("hello refused remote=%s reason=\"%s\" held_back=%u", in->remote, why, held);
	intake_end(in, false);
}

static void on_deadline(void *arg)
{
	refuse(arg, "nothing sensible came in time");
}

/* Our own descriptor stays with its handle until the loop has closed that: a duplicate goes on. */
static int take_fd(struct intake *in)
{
	int one = 1;

	setsockopt(in->fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	uv_poll_stop(&in->poll);
	return fcntl(in->fd, F_DUPFD_CLOEXEC, 3);
}

static void hand_to_http(struct intake *in)
{
	struct limits_key key = in->key;
	struct gate *g = in->gate;
	char remote[64];
	int fd = take_fd(in);

	memcpy(remote, in->remote, sizeof(remote));
	intake_end(in, true);
	if (fd < 0)
		limits_closed(g->limits, &key, false);
	else
		http_conn_create(g, fd, &key, remote);
}

static void hand_to_worker(struct intake *in, enum spawn_front front)
{
	struct session_params p = { .front = front, .remote = in->remote, .key = in->key, .owns_count = true, .display_fd = -1 };

	p.client_fd = take_fd(in);
	limits_opened(in->gate->limits, &in->key);
	if (p.client_fd < 0)
		limits_closed(in->gate->limits, &in->key, true);
	else
		session_start(in->gate, &p);
	intake_end(in, true);
}

/* Waits until more than have bytes lie in the socket, so that a half packet does not wake us again and again. */
static void wait_for(struct intake *in, size_t bytes)
{
	int n = (int)bytes;

	setsockopt(in->fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n));
}

static void send_refusal(struct intake *in)
{
	uint8_t packet[X224_REFUSAL_SIZE];

	x224_refusal(packet);
	if (send(in->fd, packet, sizeof(packet), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		pst_debug("refusal not sent remote=%s", in->remote);
}

static void judge_rdp(struct intake *in)
{
	uint8_t bytes[X224_REQUEST_MAX];
	struct x224_request request;
	ssize_t n = recv(in->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		refuse(in, "the client left");
		return;
	}
	rc = x224_request_parse(&request, bytes, (size_t)n);
	if (rc == 0) {
		wait_for(in, n < 4 ? 4 : (size_t)bytes[2] << 8 | bytes[3]);
	} else if (rc < 0) {
		if (rc == X224_NO_TLS)
			send_refusal(in);
		refuse(in, x224_fault_text(rc));
	} else {
		hand_to_worker(in, SPAWN_FRONT_RDP);
	}
}

static void judge_rfb(struct intake *in)
{
	ssize_t n = recv(in->fd, in->hello + in->hello_len, sizeof(in->hello) - in->hello_len, MSG_DONTWAIT);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		refuse(in, "the client left");
		return;
	}
	in->hello_len += (size_t)n;
	rc = rfb_hello_parse(in->hello, in->hello_len);
	if (rc < 0)
		refuse(in, rc == -1 ? "not an RFB client" : "an RFB client older than version 3.8");
	else if (rc > 0)
		hand_to_worker(in, SPAWN_FRONT_RFB);
}

/* The HTTPS port also takes RDP, told apart by the first byte. */
static void judge_https(struct intake *in)
{
	uint8_t first;
	ssize_t n = recv(in->fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		refuse(in, "the client left");
	else if (first == TLS_HANDSHAKE)
		hand_to_http(in);
	else if (first == TPKT_VERSION && !limits_penalty(in->gate->limits, &in->key, pst_mono_ns()))
		judge_rdp(in);
	else
		refuse(in, "neither TLS nor RDP");
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct intake *in = poll->data;

	if (status < 0)
		refuse(in, "the client left");
	else if (in->kind == GATE_HTTPS)
		judge_https(in);
	else if (in->kind == GATE_RDP)
		judge_rdp(in);
	else
		judge_rfb(in);
}

static bool greet(struct intake *in)
{
	size_t len = sizeof(RFB_SERVER_HELLO) - 1;

	return in->kind != GATE_VNC || send(in->fd, RFB_SERVER_HELLO, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

void intake_start(struct gate *g, enum gate_port kind, int fd, const struct limits_key *key, const char *remote)
{
	struct intake *in = calloc(1, sizeof(*in));

	if (in)
		in->deadline = pst_timer_create(g->loop);
	if (!in || !in->deadline) {
		free(in);
		close(fd);
		limits_closed(g->limits, key, false);
		return;
	}
	in->gate = g;
	in->kind = kind;
	in->fd = fd;
	in->key = *key;
	in->began_ms = pst_mono_ms();
	snprintf(in->remote, sizeof(in->remote), "%s", remote);
	in->next = g->intakes;
	in->at = &g->intakes;
	if (g->intakes)
		g->intakes->at = &in->next;
	g->intakes = in;
	uv_poll_init(g->loop, &in->poll, fd);
	in->poll.data = in;
	pst_timer_start(in->deadline, g->config->preauth_ms, on_deadline, in);
	if (greet(in))
		uv_poll_start(&in->poll, UV_READABLE, on_readable);
	else
		refuse(in, "the client left");
}

/* New ones are put in front. */
static struct intake *oldest(const struct gate *g)
{
	struct intake *in = g->intakes;

	while (in && in->next)
		in = in->next;
	return in;
}

uint64_t intake_oldest_ms(const struct gate *g)
{
	const struct intake *in = oldest(g);

	return in ? in->began_ms : UINT64_MAX;
}

void intake_drop_oldest(struct gate *g)
{
	refuse(oldest(g), "it waited longest when there was no room");
}

void intake_close_all(struct gate *g)
{
	while (g->intakes)
		intake_end(g->intakes, false);
}
