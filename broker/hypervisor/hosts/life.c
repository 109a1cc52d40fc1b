/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lending, taking back, and what is done with a lent seat. */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <string.h>

static void answer(struct hosts_op *op, const struct lease *l, const struct seat *s, struct machine *ret)
{
	hosts_machine_fill(l, s, ret);
	watches_know(op->h->watches, op->call.desktop);
}

/* 1: it stands and is answered. 0: nothing is left of an earlier one. Else an error. */
static int create_earlier(struct hosts_op *op, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct lease *l = leases_of(&op->leases, r->desktop);
	const struct seat *s = l ? seats_find(&op->seats, l->seat) : NULL;
	char reason[96];
	int rc;

	if (!l)
		return 0;
	if (s && (l->phase == LEASE_LENT || l->phase == LEASE_STOPPED) && hosts_answers(op, s, reason)) {
		if (strcmp(l->request.task, r->task) != 0)
			return pst_err_set(err, PST_ECONFLICT, "desktop %s already sits on %s by another task", r->desktop, l->seat);
		answer(op, l, s, ret);
		return 1;
	}
	rc = hosts_return(op, l, err);
	if (rc == 0) {
		leases_finish(&op->leases);
		rc = leases_load(op->h->folder, &op->leases, err);
	}
	return rc;
}

int hosts_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	const struct seat *s = NULL;
	struct hosts_op op;
	struct lease l;
	int rc;

	if (hosts_op_begin(&op, h, r->desktop, h->deadline_ms, err) < 0)
		return err->code;
	rc = create_earlier(&op, r, ret, err);
	if (rc == 0) {
		rc = hosts_take(&op, r, &l, &s, err);
		if (rc == 0)
			answer(&op, &l, s, ret);
	}
	hosts_op_end(&op);
	return rc > 0 ? 0 : rc;
}

int hosts_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	struct hosts_op op;
	struct lease *l;
	int rc = 0;

	if (hosts_op_begin(&op, h, desktop, h->deadline_ms, err) < 0)
		return err->code;
	l = leases_of(&op.leases, desktop);
	if (l)
		rc = hosts_return(&op, l, err);
	if (rc == 0)
		watches_forget(h->watches, desktop);
	hosts_op_end(&op);
	return rc;
}

static int restart_run(struct hosts_op *op, const struct machine_request *wish, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct machine_request old;
	const struct seat *s;
	struct lease *l;
	char reason[96];
	bool is_whole;
	int rc = hosts_need(op, &l, &s, err);

	if (rc < 0)
		return rc;
	is_whole = l->phase == LEASE_LENT || l->phase == LEASE_STOPPED;
	if (l->phase == LEASE_LENT && strcmp(l->request.task, wish->task) == 0 && hosts_answers(op, s, reason)) {
		answer(op, l, s, ret); /* done before */
		return 0;
	}
	refresh = refresh || !is_whole;
	old = l->request;
	l->request = *wish;
	if (!refresh)
		l->request.image_name[0] = '\0';
	request_merge(&l->request, &old);
	if (hosts_await(op, s, true, op->call.end_ms, err) < 0 ||
		hosts_command(op, s, refresh ? HOSTS_REFRESH : HOSTS_RESTART, &l->request, NULL, err) < 0 ||
		hosts_seed(op, s, &l->request, err) < 0 || hosts_await(op, s, true, op->call.end_ms, err) < 0)
		return err->code;
	l->phase = LEASE_LENT;
	if (lease_save(op->h->folder, l, err) < 0)
		return err->code;
	answer(op, l, s, ret);
	return 0;
}

int hosts_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	struct hosts_op op;
	int rc;

	if (hosts_op_begin(&op, h, r->desktop, h->deadline_ms, err) < 0)
		return err->code;
	rc = restart_run(&op, r, refresh, ret, err);
	hosts_op_end(&op);
	return rc;
}

static int power_on(struct hosts_op *op, struct lease *l, const struct seat *s, struct pst_err *err)
{
	if (hosts_await(op, s, true, op->call.end_ms, err) < 0)
		return s->has_mac ? err->code : pst_err_wrap(err, "it has no MAC address to be woken by");
	l->phase = LEASE_LENT;
	if (lease_save(op->h->folder, l, err) < 0)
		return err->code;
	watches_know(op->h->watches, op->call.desktop);
	return 0;
}

/* Its connection ends with it: what counts is that it does not answer any more. */
static int power_off(struct hosts_op *op, struct lease *l, const struct seat *s, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char reason[96];
	int rc;

	l->phase = LEASE_STOPPED;
	if (lease_save(op->h->folder, l, err) < 0)
		return err->code;
	watches_forget(op->h->watches, op->call.desktop);
	if (!hosts_answers(op, s, reason))
		return 0;
	rc = hosts_command(op, s, HOSTS_OFF, &l->request, NULL, &why);
	if (rc < 0 && rc != PST_EIO && rc != PST_EPROTO) {
		*err = why;
		return rc;
	}
	if (hosts_await(op, s, false, op->call.end_ms, err) < 0)
		return why.code < 0 ? pst_err_set(err, err->code, "%.300s", why.text) : err->code;
	return 0;
}

int hosts_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	const struct seat *s;
	struct hosts_op op;
	struct lease *l;
	int rc;

	if (wish == POWER_SUSPEND || !h->commands[HOSTS_OFF])
		return pst_err_set(err, PST_EUNSUPPORTED, "seats are switched off by the command \"off\", and not suspended");
	if (hosts_op_begin(&op, h, desktop, h->deadline_ms, err) < 0)
		return err->code;
	rc = hosts_need(&op, &l, &s, err);
	if (rc == 0 && l->phase != LEASE_LENT && l->phase != LEASE_STOPPED)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s was never finished: it has to be refreshed or destroyed", desktop);
	if (rc == 0)
		rc = wish == POWER_START ? power_on(&op, l, s, err) : power_off(&op, l, s, err);
	hosts_op_end(&op);
	return rc;
}

int hosts_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	const struct seat *s;
	struct hosts_op op;
	struct machine m;
	struct lease *l;
	int rc;

	if (hosts_op_begin(&op, h, desktop, h->deadline_ms, err) < 0)
		return err->code;
	rc = hosts_need(&op, &l, &s, err);
	if (rc == 0 && s->protocol != SEAT_VNC)
		rc = pst_err_set(err, PST_EUNSUPPORTED, "the seat %s speaks %s: a console is VNC", s->name, seat_protocol_name(s->protocol));
	if (rc == 0) {
		hosts_machine_fill(l, s, &m);
		ret->at = m.endpoint;
	}
	hosts_op_end(&op);
	return rc;
}

/* Its user's way in: what he gives his name and password for. */
int hosts_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct hosts *h = hosts_of(d);
	const struct seat *s;
	struct hosts_op op;
	struct machine m;
	struct lease *l;
	int rc;

	if (hosts_op_begin(&op, h, desktop, h->deadline_ms, err) < 0)
		return err->code;
	rc = hosts_need(&op, &l, &s, err);
	if (rc == 0) {
		const struct rdp_machine rdp = { .name = s->name, .host = s->host, .login = s->login, .pin = s->pin, .layout = l->request.layout };

		*ret_account = s->protocol == SEAT_RDP ? rdp_site_account(&h->rdp, &rdp, err) : rdp_site_password(&h->rdp, s->name, err);
		rc = *ret_account ? 0 : err->code;
		hosts_machine_fill(l, s, &m);
		*ret = m.endpoint;
	}
	hosts_op_end(&op);
	return rc;
}
