/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command: its lists, and what it does with a seat. */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/hosts/wake.h"
#include "broker/hypervisor/ssh/exec.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PROBE_MS 2000
#define PAUSE_MS 500      /* between two probes of a seat that is waited for */
#define WAKE_AGAIN_MS 5000

static const char *const keys[HOSTS_COMMANDS] = { "seed", "refresh", "restart", "off" };

const char *hosts_command_key(enum hosts_command c)
{
	return keys[c];
}

void hosts_op_end(struct hosts_op *op)
{
	if (op->call.desktop[0])
		watches_release(op->h->watches, op->call.desktop);
	call_end(&op->h->calls, &op->call);
	seats_finish(&op->seats);
	leases_finish(&op->leases);
}

/* To believe whoever answers at an address would hand him the seat's password, and the user's. */
static int identities_check(const struct hosts_op *op, struct pst_err *err)
{
	for (size_t i = 0; i < op->seats.n; i++) {
		const struct seat *s = &op->seats.list[i];

		if (op->h->lends_foreign && s->protocol == SEAT_RDP && !rdp_site_knows(&op->h->rdp, s->pin))
			return pst_err_set(err, PST_EINVAL, "%s: nothing says by what certificate %s is known: give it fingerprint=…, or the provider rdp_ca", op->h->path, s->name);
	}
	return 0;
}

int hosts_op_begin(struct hosts_op *op, struct hosts *h, const char *desktop, uint64_t timeout_ms, struct pst_err *err)
{
	memset(op, 0, sizeof(*op));
	op->h = h;
	if (call_begin(&h->calls, &op->call, desktop, timeout_ms, err) < 0)
		return err->code;
	if (desktop[0])
		watches_hold(h->watches, desktop);
	if (seats_load(h->path, &op->seats, err) < 0 || leases_load(h->folder, &op->leases, err) < 0) {
		hosts_op_end(op);
		return err->code;
	}
	if (identities_check(op, err) < 0) {
		hosts_op_end(op);
		return err->code;
	}
	return 0;
}

int hosts_need(struct hosts_op *op, struct lease **ret_lease, const struct seat **ret_seat, struct pst_err *err)
{
	struct lease *l = leases_of(&op->leases, op->call.desktop);
	const struct seat *s = l ? seats_find(&op->seats, l->seat) : NULL;

	if (!l)
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->call.desktop);
	if (!s)
		return pst_err_set(err, PST_EIO, "the seat %s is not in %s any more", l->seat, op->h->path);
	*ret_lease = l;
	*ret_seat = s;
	return 0;
}

struct seat hosts_door(const struct hosts *h, const struct seat *s)
{
	struct seat door = *s;

	if (s->protocol == SEAT_AGENT && h->commands[HOSTS_SEED]) {
		door.protocol = SEAT_SSH;
		door.port = h->ssh_port;
	}
	return door;
}

bool hosts_answers(const struct hosts_op *op, const struct seat *s, char reason[96])
{
	const struct seat door = hosts_door(op->h, s);
	struct probe p = { .seat = &door };
	uint64_t now = pst_mono_ms();

	probe_run(&p, 1, (uint32_t)PST_MIN(now < op->call.end_ms ? op->call.end_ms - now : 1, (uint64_t)PROBE_MS), op->call.cancel_fd);
	memcpy(reason, p.reason, sizeof(p.reason));
	if (p.answers)
		hosts_fault_clear(op->h, s->name);
	return p.answers;
}

static int wake(const struct hosts_op *op, const struct seat *s, struct pst_err *err)
{
	uint8_t packet[WAKE_PACKET_MAX];
	size_t len = wake_packet(s->mac, s->secureon, s->secureon_len, packet);

	return wake_send(s->wake[0] ? s->wake : op->h->wake, op->h->wake_port, packet, len, err);
}

/* False when nobody wants it any more. */
static bool pause_ms(const struct hosts_op *op, uint64_t ms)
{
	struct pollfd p = { .fd = op->call.cancel_fd, .events = POLLIN };

	return poll(&p, 1, (int)ms) == 0;
}

int hosts_await(const struct hosts_op *op, const struct seat *s, bool answers, uint64_t until_ms, struct pst_err *err)
{
	uint64_t end_ms = PST_MIN(until_ms, op->call.end_ms), wake_ms = 0, now;
	char reason[96];

	while (hosts_answers(op, s, reason) != answers) {
		now = pst_mono_ms();
		if (call_is_cancelled(&op->call))
			return pst_err_set(err, PST_ECLOSED, "cancelled while waiting for the seat %s", s->name);
		if (now >= end_ms)
			return pst_err_set(err, PST_ETIMEOUT, "the seat %s (%s) %s%s", s->name, s->address, answers ? "does not answer: " : "still answers", reason);
		if (answers && s->has_mac && now >= wake_ms) {
			if (wake(op, s, err) < 0)
				return err->code;
			wake_ms = now + WAKE_AGAIN_MS;
		}
		if (!pause_ms(op, PST_MIN(end_ms - now, (uint64_t)PAUSE_MS)))
			return pst_err_set(err, PST_ECLOSED, "cancelled while waiting for the seat %s", s->name);
	}
	return 0;
}

static void values_put(struct script *sc, const struct seat *s, const struct machine_request *r)
{
	script_value(sc, TEMPLATE_NAME, s->name);
	script_value(sc, TEMPLATE_ADDRESS, s->address);
	script_value(sc, TEMPLATE_HOSTNAME, r->hostname);
	script_value(sc, TEMPLATE_LOCALE, r->locale);
	script_value(sc, TEMPLATE_LAYOUT, r->layout);
	script_value(sc, TEMPLATE_IMAGE_NAME, r->image_name);
	script_value(sc, TEMPLATE_IMAGE_VERSION, r->image_version);
}

int hosts_command(const struct hosts_op *op, const struct seat *s, enum hosts_command c, const struct machine_request *r, const char *seed,
	struct pst_err *err)
{
	struct remote *remote;
	struct script sc;
	int rc;

	if (!op->h->commands[c])
		return 0;
	remote = remote_clone(op->h->remote, s->address, err);
	if (!remote)
		return err->code;
	script_begin(&sc, "/nonexistent", r->desktop);
	values_put(&sc, s, r);
	script_seed(&sc, seed);
	script_run(&sc, keys[c], op->h->commands[c]);
	rc = exec_steps(remote, &sc, &op->call, err);
	remote_destroy(remote);
	return rc < 0 ? pst_err_wrap(err, "the seat %s", s->name) : 0;
}

int hosts_seed(const struct hosts_op *op, const struct seat *s, const struct machine_request *r, struct pst_err *err)
{
	char *seed;
	int rc;

	if (!op->h->commands[HOSTS_SEED] || op->h->seed.agents[0] == '\0' || s->protocol != SEAT_AGENT || r->enrol_token[0] == '\0')
		return 0;
	seed = seed_text(&op->h->seed, r, err);
	if (!seed)
		return err->code;
	rc = hosts_command(op, s, HOSTS_SEED, r, seed, err);
	seed_text_free(seed);
	return rc;
}
