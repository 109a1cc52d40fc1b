/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes that speak RDP to machines. */
#include "protocol/gate/seat.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ctl.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "protocol/gate/gate_priv.h"

#define LEAVE_MS 4000

struct seat {
	struct gate *gate;
	struct seat *next;
	struct pst_ctl *ctl; /* NULL: the process is gone */
	struct pst_timer *timer;
	uint32_t serial;
	bool has_owner; /* a session may still leave it */
};

static const char *endpoint_kind(const json_t *grant)
{
	const char *kind = pst_json_str(json_object_get(grant, "endpoint"), "kind", 16);

	return kind ? kind : "";
}

bool seat_is_wanted(const json_t *grant)
{
	static const char *const kinds[] = { "rfb", "rdp", "dbus" };

	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++)
		if (strcmp(endpoint_kind(grant), kinds[i]) == 0)
			return true;
	return false;
}

static void seat_free(struct seat *s)
{
	struct seat **at = &s->gate->seats;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	pst_ctl_close(s->ctl);
	pst_timer_destroy(s->timer);
	free(s);
}

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	pst_fd_close(&fd); /* it has nothing to say: its reasons go to the worker */
}

static void on_ctl_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct seat *s = arg;

	s->ctl = NULL;
	if (!s->has_owner)
		seat_free(s);
}

static const struct pst_ctl_events ctl_events = { .message = on_message, .closed = on_ctl_closed };

static void on_spawned(void *arg, int error, pid_t pid, const int *fds, size_t n_fds)
{
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (error)
		pst_error("no process for a machine's screen: %s", strerror(error)); /* its end of the link is closed, and the worker says so */
	else
		pst_info("worker started pid=%d front=seat", (int)pid);
}

static struct seat *seat_new(struct gate *g, int ctl_fd)
{
	struct seat *s = pst_zalloc(1, sizeof(*s));

	if (s)
		s->timer = pst_timer_create(g->loop);
	if (s && s->timer)
		s->ctl = pst_ctl_create(g->loop, ctl_fd, &ctl_events, s);
	else
		close(ctl_fd);
	if (!s || !s->ctl) {
		pst_timer_destroy(s ? s->timer : NULL);
		free(s);
		return NULL;
	}
	s->gate = g;
	s->has_owner = true;
	s->next = g->seats;
	g->seats = s;
	return s;
}

/* fd stays the caller's. Returns the worker's end of the link. */
static int seat_begin(struct gate *g, const json_t *account, int fd, struct seat **ret_seat)
{
	int ctl[2] = { -1, -1 }, link[2] = { -1, -1 };
	struct pst_err err = PST_ERR_INIT;
	struct seat *s = NULL;

	if (pst_unix_pair(ctl, &err) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, link) == 0) {
		s = seat_new(g, ctl[0]);
		ctl[0] = -1;
	}
	if (s) {
		pst_ctl_send_fd(s->ctl, json_pack("{s:s, s:O}", "op", "start", "account", account), fd);
		s->serial = spawn_worker(g->spawn, SPAWN_FRONT_SEAT, ctl[1], link[1], on_spawned, NULL);
	}
	for (int i = 0; i < 2; i++)
		pst_fd_close(&ctl[i]);
	pst_fd_close(&link[1]);
	if (s && s->serial) {
		*ret_seat = s;
		return link[0];
	}
	if (s)
		seat_free(s);
	pst_fd_close(&link[0]);
	return -1;
}

int seat_open(struct gate *g, json_t *grant, int fd, struct seat **ret_seat)
{
	json_t *account = json_object_get(grant, "account");
	int link;

	*ret_seat = NULL;
	if (strcmp(endpoint_kind(grant), "rdp") != 0)
		return fd;
	link = json_is_object(account) ? seat_begin(g, account, fd, ret_seat) : -1;
	json_object_del(grant, "account");
	json_object_set_new(grant, "grant", json_string("seat"));
	json_object_set_new(grant, "endpoint", json_pack("{s:s}", "kind", "seat"));
	close(fd);
	return link;
}

static void on_late(void *arg)
{
	struct seat *s = arg;

	pst_warn("worker killed front=seat: it did not end in time");
	spawn_kill(s->gate->spawn, s->serial);
}

void seat_leave(struct seat *s)
{
	if (!s)
		return;
	s->has_owner = false;
	if (s->ctl)
		pst_timer_start(s->timer, LEAVE_MS, on_late, s);
	else
		seat_free(s);
}

void seat_close_all(struct gate *g)
{
	while (g->seats)
		seat_free(g->seats);
}
