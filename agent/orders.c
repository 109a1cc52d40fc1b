/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the broker is told and what it says. It informs and asks; the lease on disk decides. */
#include <string.h>
#include <unistd.h>

#include "agent/agent_priv.h"
#include "agent/state.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

void orders_report(struct agent *a, const char *event, const char *reason)
{
	json_t *body = json_pack("{s:s, s:I, s:s}", "desktop", a->lease.desktop, "epoch",
		(json_int_t)a->lease.epoch, "reason", reason);

	if (body && a->lease.user[0])
		json_object_set_new(body, "user", json_string(a->lease.user));
	if (body && a->grant.session[0])
		json_object_set_new(body, "session", json_string(a->grant.session));
	broker_report(a->broker, event, body);
}

bool orders_keep(struct agent *a, struct pst_err *err)
{
	if (state_save(a->state_path, &a->lease, a->enrolled, err) == 0)
		return true;
	pst_error("the lease cannot be kept: %s", err->text);
	pst_err_set(err, PST_EIO, "the desktop cannot write its own state: ask an administrator");
	return false;
}

/* A token whose hash we know was used already: a file that could not be removed is no new one. */
static bool on_token(void *arg, const char **ret_desktop, const char **ret_token)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;

	if (enrol_read(a->enrol_path, &a->enrol, &err) < 0) {
		pst_debug("enrolment: %s", err.text);
		return false;
	}
	*ret_desktop = a->enrol.desktop;
	*ret_token = a->enrol.token;
	return true;
}

static void on_enrolled(void *arg, const uint8_t key[LEASE_KEY_SIZE])
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;

	if (strcmp(a->lease.desktop, a->enrol.desktop) != 0)
		memset(&a->lease, 0, sizeof(a->lease));
	memcpy(a->lease.key, key, LEASE_KEY_SIZE);
	a->lease.has_key = true;
	pst_strlcpy(a->lease.desktop, sizeof(a->lease.desktop), a->enrol.desktop);
	memcpy(a->enrolled, a->enrol.hash, sizeof(a->enrolled));
	if (orders_keep(a, &err))
		unlink(a->enrol_path);
	pst_wipe(a->enrol.token, sizeof(a->enrol.token));
	pst_info("enrolled desktop=%s", a->lease.desktop);
	orders_report(a, "ready", "");
}

static json_t *on_state(void *arg)
{
	struct agent *a = arg;
	json_t *o;

	if (!health_is_known(a->health))
		return NULL;
	o = json_pack("{s:s, s:s, s:I, s:b}", "desktop", a->lease.desktop, "boot", a->boot, "epoch",
		(json_int_t)a->lease.epoch, "occupied", a->occupant != NULL);

	if (o)
		json_object_set_new(o, "user", a->lease.user[0] ? json_string(a->lease.user) : json_null());
	if (o && a->occupant)
		json_object_set_new(o, "session", json_string(a->grant.session));
	if (o && health_fault(a->health))
		json_object_set_new(o, "fault", json_string(health_fault(a->health)));
	return o;
}

static void on_lease(void *arg, uint64_t epoch)
{
	struct agent *a = arg;
	struct pst_err err = PST_ERR_INIT;

	if (lease_raise(&a->lease, epoch))
		orders_keep(a, &err);
}

static void on_logoff(void *arg, const char *reason)
{
	occupancy_logoff(arg, reason);
}

static void on_message(void *arg, const char *text)
{
	struct agent *a = arg;

	notice_show(a->notice, text);
}

static void on_personal(void *arg, bool is_wanted)
{
	struct agent *a = arg;

	if (is_wanted)
		personal_mount(a->personal);
	else
		personal_unmount(a->personal);
}

void orders_personal(void *arg, const char *word, const char *reason)
{
	struct agent *a = arg;

	/* Nothing is said of what did not work out: the broker waits no longer than it wants to. */
	if (word[0])
		orders_report(a, word, reason);
}

const struct broker_events orders_broker_events = {
	.token = on_token,
	.enrolled = on_enrolled,
	.certified = agent_certified,
	.state = on_state,
	.lease = on_lease,
	.logoff = on_logoff,
	.message = on_message,
	.personal = on_personal,
};
