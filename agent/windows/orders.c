/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the broker is told and what it says. It informs and asks; the hold on disk decides. */
#include "agent/windows/agent_priv.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "agent/windows/journal.h"
#include "agent/windows/wts.h"
#include "base/secret.h"
#include "base/text.h"

#define STATE "agent.json"
#define FILETIME_1970 INT64_C(116444736000000000)

void orders_report(struct agent *a, const char *event, const char *user, const char *account, const char *reason)
{
	const struct talk_report r = { .event = event, .reason = reason, .desktop = a->hold.lease.desktop, .user = user, .account = account,
		.epoch = a->hold.lease.epoch };

	talk_report(a->talk, &r);
}

int orders_keep(struct agent *a, struct pst_err *err)
{
	struct pst_buf b;

	pst_buf_init(&b, HOLD_TEXT_MAX);
	int rc = hold_write(&a->hold, &b);
	if (rc == 0)
		rc = disk_write(a->disk, STATE, (const char *)b.data, b.len, err);
	else
		pst_err_set(err, rc, "no memory for the agent's state");
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	if (rc < 0)
		journal(JOURNAL_ERROR, "the lease cannot be kept: %s", err->text);
	return rc;
}

static void keep(struct agent *a)
{
	struct pst_err err = PST_ERR_INIT;

	orders_keep(a, &err);
}

static int state_load(struct agent *a, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char *text = NULL;
	size_t len;
	int rc = disk_read(a->disk, STATE, HOLD_TEXT_MAX, &text, &len, &why);

	if (rc < 0)
		return rc == PST_ENOTFOUND ? 0 : pst_err_pass(err, rc, &why);
	rc = hold_read(text, len, &a->hold, err);
	if (rc < 0)
		pst_err_wrap(err, "%s is damaged: remove it to enrol this desktop anew", STATE);
	if (text)
		pst_wipe(text, len);
	free(text);
	return rc;
}

/* A new token means a new key; the epochs of the same desktop are kept. */
int orders_open(struct agent *a, const struct place *place, struct pst_err *err)
{
	struct pst_err none = PST_ERR_INIT;

	if (state_load(a, err) < 0)
		return err->code;
	if (strcmp(a->hold.lease.desktop, place->desktop) != 0)
		pst_wipe(&a->hold, sizeof(a->hold));
	pst_strlcpy(a->hold.lease.desktop, sizeof(a->hold.lease.desktop), place->desktop);
	if (seeding_pending(a->disk, &a->pending, &none) == 0 && strcmp(a->pending.hash, a->hold.enrolled) != 0)
		a->hold.lease.has_key = false;
	/* A certificate that went lost cannot be asked for without a token. */
	if (!identity_cert(a->identity))
		a->hold.lease.has_key = false;
	talk_set_enrolled(a->talk, a->hold.lease.has_key);
	return 0;
}

bool orders_is_enrolled(const struct agent *a)
{
	return a->hold.lease.has_key;
}

/* ---- enrolment --------------------------------------------------------------------- */

static bool on_token(void *arg, const char **ret_desktop, const char **ret_token)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;

	if (seeding_pending(a->disk, &a->pending, &err) < 0)
		return false;
	*ret_desktop = a->pending.desktop;
	*ret_token = a->pending.token;
	return true;
}

static int on_request(void *arg, const char *desktop, char **ret_csr, struct pst_err *err)
{
	struct agent *a = arg;

	return identity_request(a->identity, desktop, ret_csr, err);
}

static int on_certified(void *arg, const char *cert_pem, struct pst_err *err)
{
	struct agent *a = arg;

	return identity_take(a->identity, cert_pem, err);
}

static int on_enrolled(void *arg, const uint8_t key[LEASE_KEY_SIZE], struct pst_err *err)
{
	struct agent *a = arg;

	memcpy(a->hold.lease.key, key, LEASE_KEY_SIZE);
	a->hold.lease.has_key = true;
	memcpy(a->hold.enrolled, a->pending.hash, sizeof(a->hold.enrolled));
	if (orders_keep(a, err) < 0)
		return err->code;
	seeding_used(a->disk);
	pst_wipe(&a->pending, sizeof(a->pending));
	journal(JOURNAL_INFO, "enrolled desktop=%s", a->hold.lease.desktop);
	return 0;
}

static bool on_is_due(void *arg)
{
	struct agent *a = arg;
	FILETIME t;

	GetSystemTimeAsFileTime(&t);
	return identity_is_due(a->identity, (((int64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) - FILETIME_1970) / 10000);
}

/* ---- state and orders --------------------------------------------------------------- */

/* The desktop is ready when its image says so and its Remote Desktop answers; before, nothing is said of it. */
static bool on_state(void *arg, struct talk_state *ret)
{
	struct agent *a = arg;

	if (!checkup_is_known(a->checkup) || (!probe_is_up(a->probe) && !checkup_fault(a->checkup)[0]))
		return false;
	ret->desktop = a->hold.lease.desktop;
	ret->boot = a->boot;
	ret->user = a->hold.lease.user;
	ret->fault = checkup_fault(a->checkup);
	ret->pin = probe_pin(a->probe);
	ret->epoch = a->hold.lease.epoch;
	ret->is_occupied = occupancy_is_in(a);
	return true;
}

static void on_lease(void *arg, const char *user, uint64_t epoch)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;
	bool has_changed;
	int rc = hold_lease(&a->hold, user, epoch, &has_changed, &err);

	if (has_changed)
		keep(a);
	if (rc < 0)
		journal(JOURNAL_WARN, "%s", err.text);
	if (rc == PST_ECONFLICT)
		orders_report(a, "refused", a->hold.lease.user, a->hold.account, err.text);
	agent_wake(a);
}

static void on_logoff(void *arg, const char *reason)
{
	occupancy_logoff(arg, reason);
}

static void on_message(void *arg, const char *text)
{
	occupancy_message(arg, text);
}

static void on_power(void *arg, bool is_restart)
{
	struct pst_err err = PST_ERR_INIT;

	journal(JOURNAL_INFO, "the broker asks for a %s", is_restart ? "restart" : "shutdown");
	if (wts_power(is_restart, "Puesto: asked for by an administrator", &err) < 0)
		journal(JOURNAL_WARN, "%s", err.text);
}

static void on_log(void *arg, const char *text)
{
	journal(JOURNAL_WARN, "%s", text);
}

const struct talk_events orders_events = {
	.token = on_token,
	.request = on_request,
	.certified = on_certified,
	.enrolled = on_enrolled,
	.is_due = on_is_due,
	.state = on_state,
	.lease = on_lease,
	.logoff = on_logoff,
	.message = on_message,
	.power = on_power,
	.log = on_log,
};
