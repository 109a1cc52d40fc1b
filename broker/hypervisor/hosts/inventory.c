/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which seats are lent, and whether they answer. */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_MS 2000
#define AGAIN_MS 500 /* after which who did not answer is asked once more: a lost packet ends no session */

bool hosts_lends(const struct hosts *h, const struct seat *s)
{
	return s->protocol == SEAT_AGENT || h->lends_foreign;
}

void hosts_machine_fill(const struct lease *l, const struct seat *s, struct machine *m)
{
	static const enum endpoint_kind kinds[] = { [SEAT_AGENT] = ENDPOINT_TLS, [SEAT_VNC] = ENDPOINT_RFB, [SEAT_RDP] = ENDPOINT_RDP };

	memset(m, 0, sizeof(*m));
	pst_strlcpy(m->desktop, sizeof(m->desktop), l->request.desktop);
	pst_strlcpy(m->task, sizeof(m->task), l->request.task);
	snprintf(m->image, sizeof(m->image), "%s:%s", l->request.image_name, l->request.image_version);
	m->state = MACHINE_RUNNING;
	if (!s)
		return;
	m->endpoint.kind = kinds[s->protocol];
	m->endpoint.port = s->port;
	pst_strlcpy(m->endpoint.address, sizeof(m->endpoint.address), s->address);
}

static void state_fill(const struct hosts *h, const struct lease *l, const struct probe *p, struct machine *m)
{
	if (l->phase == LEASE_TAKING || l->phase == LEASE_RETURNING) {
		m->state = MACHINE_FAILED;
		pst_strlcpy(m->reason, sizeof(m->reason), l->phase == LEASE_TAKING ? "its creation was interrupted" : "its removal was interrupted");
	} else if (!p->seat) {
		m->state = MACHINE_FAILED;
		snprintf(m->reason, sizeof(m->reason), "the seat %s is not in %.300s any more", l->seat, h->path);
	} else if (!p->answers && l->phase == LEASE_STOPPED) {
		m->state = MACHINE_STOPPED;
	} else if (!p->answers) {
		m->state = MACHINE_FAILED;
		snprintf(m->reason, sizeof(m->reason), "the seat %s (%s) does not answer: %s", l->seat, p->seat->address, p->reason);
	}
}

/* Those of from that did not answer come together at the front of again; returns how many. */
static size_t silent_gather(const struct probe *from, size_t n, struct probe *again)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (from[i].seat && !from[i].answers)
			again[m++].seat = from[i].seat;
	}
	return m;
}

/* probes: one for each lease, without a seat where there is nothing to ask. */
static int probes_ask(const struct hosts_op *op, struct probe *probes, size_t n, struct probe *scratch, struct pst_err *err)
{
	struct pollfd cancel = { .fd = op->call.cancel_fd, .events = POLLIN };

	for (int round = 0; round < 2; round++) {
		size_t m = silent_gather(probes, n, scratch);

		if (m == 0)
			break;
		if (round > 0 && poll(&cancel, 1, AGAIN_MS) != 0)
			break;
		probe_run(scratch, m, PROBE_MS, op->call.cancel_fd);
		for (size_t i = 0, k = 0; i < n; i++) {
			if (probes[i].seat && !probes[i].answers)
				probes[i] = scratch[k++];
		}
	}
	/* Seats that were not asked to the end are no news. */
	return call_is_cancelled(&op->call) ? pst_err_set(err, PST_ECLOSED, "cancelled while asking the seats") : 0;
}

static int leases_visit(struct hosts_op *op, uint64_t moment, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	size_t n = op->leases.n;
	struct probe *probes = pst_zalloc(2 * n + 1, sizeof(*probes));
	struct seat *doors = pst_zalloc(n + 1, sizeof(*doors));
	struct machine m;
	int rc = probes && doors ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct lease *l = &op->leases.list[i];
		const struct seat *s = l->phase == LEASE_LENT || l->phase == LEASE_STOPPED ? seats_find(&op->seats, l->seat) : NULL;

		if (s) {
			doors[i] = hosts_door(op->h, s);
			probes[i].seat = &doors[i];
		}
	}
	if (rc == 0)
		rc = probes_ask(op, probes, n, probes + n, err);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct lease *l = &op->leases.list[i];

		if (l->phase == LEASE_DIRTY)
			continue;
		hosts_machine_fill(l, seats_find(&op->seats, l->seat), &m);
		state_fill(op->h, l, &probes[i], &m);
		if (m.state == MACHINE_RUNNING)
			watches_see(op->h->watches, m.desktop, moment);
		visit(&m, arg);
	}
	free(probes);
	free(doors);
	return rc;
}

int hosts_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	uint64_t moment = watches_now(h->watches);
	struct hosts_op op;
	int rc;

	if (hosts_op_begin(&op, h, "", h->deadline_ms, err) < 0)
		return err->code;
	rc = leases_visit(&op, moment, visit, arg, err);
	hosts_op_end(&op);
	return rc;
}

static void seats_count(struct hosts_op *op, struct driver_capacity *ret)
{
	for (size_t i = 0; i < op->seats.n; i++) {
		ret->machines += hosts_lends(op->h, &op->seats.list[i]);
		if (op->seats.list[i].protocol == SEAT_VNC)
			ret->can |= DRIVER_CONSOLE;
	}
	snprintf(ret->limits, sizeof(ret->limits), "%zu seats", op->seats.n);
	ret->healthy = ret->machines > 0;
	if (!ret->healthy)
		snprintf(ret->reason, sizeof(ret->reason), "%.300s lists no seat with Puesto's agent (protocol=agent)", op->h->path);
	else
		hosts_faults_text(op->h, &op->seats, ret->reason, sizeof(ret->reason));
}

int hosts_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	struct hosts *h = hosts_of(d);
	struct hosts_op op;

	ret->can = h->commands[HOSTS_OFF] ? DRIVER_POWER : 0;
	if (hosts_op_begin(&op, h, "", h->deadline_ms, &why) < 0) {
		pst_strlcpy(ret->reason, sizeof(ret->reason), why.text);
		return 0;
	}
	seats_count(&op, ret);
	hosts_op_end(&op);
	return 0;
}
