/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What agents, the provisioner and gateways report. Their text is cleaned here:
 * the core and the tables see valid UTF-8 without control characters.
 */
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/reconciler_priv.h"
#include "db/desktop.h"
#include "db/session.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define MACHINES_MAX CORE_DESKTOPS_MAX

/* Copies what is printable, one '?' for each byte or character that is not. */
static void clean_text(char *dst, size_t size, const char *src)
{
	size_t left = src ? strlen(src) : 0, len = 0;
	uint32_t cp;

	while (left && len + 5 < size) {
		int n = pst_utf8_next(src, left, &cp);

		if (n <= 0 || cp < 0x20 || cp == 0x7f) {
			dst[len++] = '?';
			n = 1;
		} else {
			memcpy(dst + len, src, (size_t)n);
			len += (size_t)n;
		}
		src += n;
		left -= (size_t)n;
	}
	dst[len] = '\0';
}

/* ---- agents ---- */

int reconciler_agent_check(struct reconciler *r, const char *desktop, int64_t uid, struct pst_err *err)
{
	const struct core_desktop *d = state_desktop(&r->st, desktop);

	if (!d || d->x.lifecycle == LIFECYCLE_DELETING)
		return pst_err_set(err, PST_EDENIED, "there is no such desktop");
	if (uid == RECONCILER_REMOTE && d->uid)
		return pst_err_set(err, PST_EDENIED, "this desktop's agent has its socket on this host");
	if (uid == RECONCILER_REMOTE && d->endpoint[0])
		return 0;
	if (!d->uid)
		return pst_err_set(err, PST_EAGAIN, "the desktop is still being made: come back");
	if (d->uid != uid)
		return pst_err_set(err, PST_EDENIED, "uid %lld is not this desktop's", (long long)uid);
	return 0;
}

struct enrol {
	const char *desktop;
	uint8_t hash[PST_SHA256_LEN], key[32];
};

static int step_enrol(struct reconciler *r, void *arg, struct pst_err *err)
{
	struct enrol *e = arg;

	return db_desktop_enrol(r->db, e->desktop, e->hash, e->key, err);
}

int reconciler_enrol(struct reconciler *r, const char *desktop, const char *token, int64_t uid, uint8_t ret_key[32],
                     struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_ENROLLED, .desktop = desktop };
	struct enrol e = { .desktop = desktop };
	struct core_out out;
	int rc = reconciler_agent_check(r, desktop, uid, err);

	if (rc < 0)
		return rc;
	pst_sha256(token, strlen(token), e.hash);
	pst_random(e.key, sizeof(e.key));
	rc = round_run_step(r, &ev, &out, step_enrol, &e, err);
	core_out_finish(&out);
	if (rc == 0)
		memcpy(ret_key, e.key, sizeof(e.key));
	pst_wipe(&e, sizeof(e));
	return rc;
}

int reconciler_agent_hello(struct reconciler *r, const char *desktop, const char *boot, int64_t epoch, const char *user,
                           struct pst_err *err)
{
	char clean_boot[CORE_ID_SIZE], clean_user[CORE_NAME_SIZE];
	struct core_event ev = { .kind = EVENT_AGENT_HELLO,
		                 .desktop = desktop,
		                 .text = clean_boot,
		                 .epoch = epoch > 0 ? epoch : 0,
		                 .user_name = clean_user };

	clean_text(clean_boot, sizeof(clean_boot), boot);
	clean_text(clean_user, sizeof(clean_user), user);
	late_forget(r, EVENT_AGENT_GONE, desktop);
	return round_run(r, &ev, err);
}

int reconciler_agent_report(struct reconciler *r, const char *desktop, const char *event, int64_t epoch,
                            const char *session, const char *reason, struct pst_err *err)
{
	char text[CORE_TEXT_SIZE];
	struct core_event ev = { .kind = EVENT_AGENT_REPORT,
		                 .desktop = desktop,
		                 .word = event,
		                 .epoch = epoch,
		                 .session = session,
		                 .text = text };

	clean_text(text, sizeof(text), reason);
	return round_run(r, &ev, err);
}

void reconciler_agent_gone(struct reconciler *r, const char *desktop)
{
	struct core_event ev = { .kind = EVENT_AGENT_GONE, .desktop = desktop };

	late_tell(r, &ev, NULL);
}

/* ---- the provisioner ---- */

/* {"kind": "tls", "host": numeric address, "port": 1..65535} */
static bool remote_is_good(const json_t *endpoint)
{
	const char *host = pst_json_str(endpoint, "host", 45);
	uint8_t bytes[16];

	return host && (inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1) &&
	       pst_json_int(endpoint, "port", 1, 65535, 0) != 0;
}

static bool endpoint_is_good(const char *endpoint)
{
	json_t *value;
	bool good;

	if (!endpoint)
		return true;
	if (strlen(endpoint) >= CORE_ENDPOINT_SIZE)
		return false;
	value = pst_json_parse(endpoint, strlen(endpoint), 4, NULL);
	good = json_is_object(value) && (!core_endpoint_is_remote(endpoint) || remote_is_good(value));
	json_decref(value);
	return good;
}

static int machines_check(const struct machine_report *machines, size_t count, struct pst_err *err)
{
	struct pst_uuid u;

	if (count > MACHINES_MAX)
		return pst_err_set(err, PST_ELIMIT, "the provisioner lists %zu machines, at most %d are possible", count,
		                   MACHINES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!machines[i].desktop || pst_uuid_parse(machines[i].desktop, &u) < 0)
			return pst_err_set(err, PST_EPROTO, "machine %zu of the provisioner's list has no uuid", i);
		if (!machines[i].state || !endpoint_is_good(machines[i].endpoint))
			return pst_err_set(err, PST_EPROTO, "machine %s: its state or endpoint is not valid", machines[i].desktop);
	}
	return 0;
}

/* Copies of reports with texts that people can be shown. */
struct clean_reports {
	struct provider_report providers[CORE_PROVIDERS_MAX];
	char provider_text[CORE_PROVIDERS_MAX][CORE_TEXT_SIZE];
	const char *const *unlisted;     /* borrowed */
	const struct core_network *networks;
	size_t provider_count, machine_count, unlisted_count, host_count, network_count;
	struct host_report *hosts;       /* owned, and the texts behind them */
	struct machine_report *machines; /* owned, and the texts behind them */
};

static int reports_clean(struct clean_reports *ret, const struct machine_report *machines, size_t count,
                         struct pst_err *err)
{
	char(*texts)[CORE_TEXT_SIZE];

	ret->machines = calloc(count + 1, sizeof(*machines) + sizeof(*texts));
	if (!ret->machines)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	texts = (void *)(ret->machines + count);
	for (size_t i = 0; i < count; i++) {
		clean_text(texts[i], sizeof(texts[i]), machines[i].reason);
		ret->machines[i] = machines[i];
		ret->machines[i].reason = texts[i];
	}
	ret->machine_count = count;
	return 0;
}

struct host_text {
	char name[CORE_WORD_SIZE], reason[CORE_TEXT_SIZE];
};

/* Names are compared with what commands carry, and shown. */
static int hosts_clean(struct clean_reports *ret, const struct machine_list *list, struct pst_err *err)
{
	size_t count = list->host_count < CORE_HOSTS_MAX ? list->host_count : CORE_HOSTS_MAX;
	struct host_text *texts;

	ret->hosts = calloc(count + 1, sizeof(*ret->hosts) + sizeof(*texts));
	if (!ret->hosts)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	texts = (void *)(ret->hosts + count);
	for (size_t i = 0; i < count; i++) {
		clean_text(texts[i].name, sizeof(texts[i].name), list->hosts[i].name);
		clean_text(texts[i].reason, sizeof(texts[i].reason), list->hosts[i].reason);
		ret->hosts[i] = list->hosts[i];
		ret->hosts[i].name = texts[i].name;
		ret->hosts[i].reason = texts[i].reason;
	}
	ret->host_count = count;
	return 0;
}

static void providers_clean(struct clean_reports *ret, const struct provider_report *providers, size_t count)
{
	ret->provider_count = count < CORE_PROVIDERS_MAX ? count : CORE_PROVIDERS_MAX;
	for (size_t i = 0; i < ret->provider_count; i++) {
		clean_text(ret->provider_text[i], sizeof(ret->provider_text[i]), providers[i].reason);
		ret->providers[i] = providers[i];
		ret->providers[i].reason = ret->provider_text[i];
	}
}

static int reports_run(struct reconciler *r, enum core_event_kind kind, struct clean_reports *reports,
                       struct pst_err *err)
{
	struct core_event ev = { .kind = kind,
		                 .providers = reports->providers,
		                 .provider_count = reports->provider_count,
		                 .machines = reports->machines,
		                 .machine_count = reports->machine_count,
		                 .unlisted = reports->unlisted,
		                 .unlisted_count = reports->unlisted_count,
		                 .hosts = reports->hosts,
		                 .host_count = reports->host_count,
		                 .networks = reports->networks,
		                 .network_count = reports->network_count };
	int rc = round_run(r, &ev, err);

	free(reports->machines);
	free(reports->hosts);
	return rc;
}

/* Owned by ret only when it succeeds. */
static int list_clean(struct clean_reports *ret, const struct machine_list *list, struct pst_err *err)
{
	int rc = machines_check(list->machines, list->count, err);

	*ret = (struct clean_reports){ .unlisted = list->unlisted, .unlisted_count = list->unlisted_count };
	if (rc == 0)
		rc = hosts_clean(ret, list, err);
	if (rc == 0)
		rc = reports_clean(ret, list->machines, list->count, err);
	if (rc < 0)
		free(ret->hosts);
	return rc;
}

int reconciler_provisioner_hello(struct reconciler *r, const struct provider_list *providers, const struct machine_list *list,
                                 struct pst_err *err)
{
	struct clean_reports reports;
	int rc = list_clean(&reports, list, err);

	if (rc < 0)
		return rc;
	providers_clean(&reports, providers->reports, providers->count);
	reports.networks = providers->networks;
	reports.network_count = providers->network_count;
	late_forget(r, EVENT_PROVISIONER_GONE, "");
	return reports_run(r, EVENT_PROVISIONER_HELLO, &reports, err);
}

int reconciler_inventory(struct reconciler *r, const struct machine_list *list, struct pst_err *err)
{
	struct clean_reports reports;
	int rc = list_clean(&reports, list, err);

	return rc < 0 ? rc : reports_run(r, EVENT_INVENTORY, &reports, err);
}

void reconciler_provisioner_gone(struct reconciler *r)
{
	struct core_event ev = { .kind = EVENT_PROVISIONER_GONE };

	late_tell(r, &ev, NULL);
}

int reconciler_machine_report(struct reconciler *r, const struct machine_report *m, struct pst_err *err)
{
	char text[CORE_TEXT_SIZE];
	struct machine_report clean = *m;
	struct core_event ev = { .kind = EVENT_MACHINE, .machines = &clean, .machine_count = 1 };
	int rc = machines_check(m, 1, err);

	clean_text(text, sizeof(text), m->reason);
	clean.reason = text;
	return rc < 0 ? rc : round_run(r, &ev, err);
}

int reconciler_task_result(struct reconciler *r, const struct provider_result *res, struct pst_err *err)
{
	char text[CORE_TEXT_SIZE], code[CORE_WORD_SIZE];
	struct provider_result clean = *res;
	struct core_event ev = { .kind = EVENT_TASK_RESULT, .result = &clean };

	if (clean.ok && !endpoint_is_good(clean.endpoint)) {
		clean = (struct provider_result){ .task = res->task, .error_code = "bad_endpoint",
			                          .error = "the provider's answer has no valid endpoint" };
	}
	clean_text(text, sizeof(text), clean.error);
	clean_text(code, sizeof(code), clean.error_code);
	clean.error = text;
	clean.error_code = code;
	return round_run(r, &ev, err);
}

/* ---- gateways ---- */

int reconciler_gateway_hello(struct reconciler *r, const char *gateway, const char *const *sessions, size_t count,
                             struct pst_err *err)
{
	struct core_event ev = {
		.kind = EVENT_GATEWAY_HELLO, .gateway = gateway, .sessions = sessions, .session_count = count
	};

	return round_run(r, &ev, err);
}

int reconciler_session_started(struct reconciler *r, const char *session, struct pst_err *err)
{
	struct core_event ev = { .kind = EVENT_SESSION_STARTED, .session = session, .gateway = "" };

	return late_tell(r, &ev, err);
}

int reconciler_session_ended(struct reconciler *r, const char *session, const char *code, const char *reason,
                             const char *reason_es, const char *stats_json, struct pst_err *err)
{
	char text[CORE_TEXT_SIZE], text_es[CORE_TEXT_SIZE], word[CORE_WORD_SIZE];
	struct core_event ev = { .kind = EVENT_SESSION_ENDED, .session = session, .word = word, .text = text, .text_es = text_es };
	int rc;

	clean_text(text, sizeof(text), reason);
	clean_text(text_es, sizeof(text_es), reason_es);
	clean_text(word, sizeof(word), code);
	rc = late_tell(r, &ev, err);
	/* The figures are for people; a row without them is no fault. */
	if (rc == 0 && stats_json && endpoint_is_good(stats_json))
		db_session_stats(r->db, session, stats_json, NULL);
	return rc;
}
