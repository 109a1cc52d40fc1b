/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands between JSON and the drivers. */
#include "broker/hypervisor/job.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/console.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/order.h"

#include <string.h>

static int create_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	if (request_parse(msg, &job->request, err) < 0)
		return err->code;
	return pst_json_need_str(msg, "provider", MACHINE_NAME_SIZE - 1, &job->provider, err);
}

/* Not named: whoever has the desktop. */
static int provider_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	return pst_json_opt_str(msg, "provider", MACHINE_NAME_SIZE - 1, NULL, &job->provider, err);
}

static int destroy_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	struct pst_uuid u;
	const char *text;

	if (pst_json_need_str(msg, "desktop", PST_UUID_SIZE - 1, &text, err) < 0)
		return err->code;
	if (pst_uuid_parse(text, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "desktop: \"%s\" is not a UUID", text);
	pst_uuid_text(&u, job->request.desktop);
	return provider_parse(job, msg, err);
}

static int restart_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	if (request_parse_restart(msg, &job->request, err) < 0)
		return err->code;
	if (pst_json_opt_bool(msg, "refresh", false, &job->refresh, err) < 0)
		return err->code;
	return provider_parse(job, msg, err);
}

static int operate_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	if (destroy_parse(job, msg, err) < 0 || pst_json_opt_str(msg, "arg", MACHINE_NAME_SIZE - 1, "", &job->arg, err) < 0)
		return err->code;
	if (!job->provider)
		return pst_err_set(err, PST_EINVAL, "provider: missing");
	return operation_check(job->operation, job->arg, err);
}

static int console_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	const char *pin;

	if (destroy_parse(job, msg, err) < 0 || pst_json_opt_bool(msg, "user", false, &job->is_user, err) < 0 ||
		pst_json_opt_bool(msg, "shared", false, &job->is_shared, err) < 0 ||
		pst_json_opt_str(msg, "fingerprint", sizeof(job->pin) - 1, "", &pin, err) < 0 || (*pin && rdp_pin_read(pin, job->pin, err) < 0))
		return err->code;
	return job->provider ? 0 : pst_err_set(err, PST_EINVAL, "provider: missing");
}

static int word_read(const json_t *msg, const char *key, bool is_needed, char out[MACHINE_NAME_SIZE], struct pst_err *err)
{
	const char *s;

	if (pst_json_opt_str(msg, key, MACHINE_NAME_SIZE - 1, is_needed ? NULL : "", &s, err) < 0)
		return err->code;
	return s ? pst_strlcpy(out, MACHINE_NAME_SIZE, s) : pst_err_set(err, PST_EINVAL, "%s: missing", key);
}

/* owner and disk are checked by the driver's wrapper. */
static int disk_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	struct machine_personal *p = &job->personal;
	int64_t size;

	if (word_read(msg, "owner", true, p->owner, err) < 0 || word_read(msg, "disk", true, p->name, err) < 0 ||
		word_read(msg, "store", false, p->store, err) < 0 || word_read(msg, "pool", false, p->pool, err) < 0 ||
		pst_json_opt_int(msg, "size_mb", 0, REQUEST_DISK_MAX_MB, 0, &size, err) < 0 || provider_parse(job, msg, err) < 0)
		return err->code;
	p->size_mb = (uint32_t)size;
	pst_strlcpy(p->reason, sizeof(p->reason), job->order.reason);
	return job->provider ? 0 : pst_err_set(err, PST_EINVAL, "provider: missing");
}

static int attach_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	return destroy_parse(job, msg, err) < 0 ? err->code : disk_parse(job, msg, err);
}

static int inventory_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	return 0;
}

static const struct {
	const char *op;
	enum job_kind kind;
	int (*parse)(struct job *job, const json_t *msg, struct pst_err *err);
} commands[] = {
	{ "create", JOB_CREATE, create_parse },
	{ "destroy", JOB_DESTROY, destroy_parse },
	{ "restart", JOB_RESTART, restart_parse },
	{ "attach", JOB_ATTACH, attach_parse },
	{ "detach", JOB_DETACH, attach_parse },
	{ "forget_disk", JOB_FORGET, disk_parse },
	{ "console", JOB_CONSOLE, console_parse },
	{ "inventory", JOB_INVENTORY, inventory_parse },
};

/* What storage is told of the desktop, with any of its commands. */
static int order_parse(const json_t *msg, struct order *o, struct pst_err *err)
{
	const char *pool, *reason, *sha256;

	if (pst_json_opt_str(msg, "pool", sizeof(o->pool) - 1, "", &pool, err) < 0 ||
		pst_json_opt_str(msg, "why", sizeof(o->reason) - 1, "removed", &reason, err) < 0 ||
		pst_json_opt_int(msg, "keep_ms", 0, INT64_C(400) * 86400000, 0, &o->keep_ms, err) < 0 ||
		pst_json_opt_bool(msg, "restore", false, &o->is_restore, err) < 0 ||
		pst_json_opt_str(msg, "image_sha256", sizeof(o->image_sha256) - 1, "", &sha256, err) < 0)
		return err->code;
	pst_strlcpy(o->image_sha256, sizeof(o->image_sha256), sha256);
	pst_strlcpy(o->pool, sizeof(o->pool), pool);
	return pst_strlcpy(o->reason, sizeof(o->reason), reason);
}

int job_parse(struct job *job, const json_t *msg, struct pst_err *err)
{
	const char *op;

	if (pst_json_need_str(msg, "op", 32, &op, err) < 0 || order_parse(msg, &job->order, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].op, op) != 0)
			continue;
		job->kind = commands[i].kind;
		if (commands[i].parse(job, msg, err) < 0)
			return pst_err_wrap(err, "%s", op);
		pst_strlcpy(job->desktop, sizeof(job->desktop), job->request.desktop);
		return 0;
	}
	job->operation = operation_find(op);
	if (job->operation) {
		job->kind = JOB_OPERATE;
		if (operate_parse(job, msg, err) < 0)
			return pst_err_wrap(err, "%s", op);
		pst_strlcpy(job->desktop, sizeof(job->desktop), job->request.desktop);
		return 0;
	}
	return pst_err_set(err, PST_EUNSUPPORTED, "the provisioner does not know the command \"%s\"", op);
}

/* An agent's endpoint, as the gateway reads it; {} while none is known. */
static json_t *endpoint_json(const struct machine *m)
{
	const struct machine_endpoint *e = &m->endpoint;

	if (e->kind == ENDPOINT_TLS)
		return json_pack("{s:s,s:s,s:i}", "kind", "tls", "host", e->address, "port", (int)e->port);
	if (e->kind == ENDPOINT_UNIX)
		return json_pack("{s:s,s:s}", "kind", "unix", "path", e->address);
	if (e->kind == ENDPOINT_RDP && e->has_agent)
		return json_pack("{s:s,s:s,s:i,s:b}", "kind", "rdp", "host", e->address, "port", (int)e->port, "agent", 1);
	if (e->kind == ENDPOINT_RFB || e->kind == ENDPOINT_RDP)
		return json_pack("{s:s,s:s,s:i}", "kind", e->kind == ENDPOINT_RFB ? "rfb" : "rdp", "host", e->address, "port", (int)e->port);
	return json_object();
}

/* What one provider says of its machines, and of which hosts it can say nothing. */
struct listing {
	json_t *machines, *silent; /* owned */
};

static void machine_collect(const struct machine *m, void *arg)
{
	struct listing *l = arg;

	if (!m->desktop[0]) {
		pst_warn("no list of machines of host=%s: %s", m->host, m->reason);
		json_array_append_new(l->silent, json_string(m->host));
		return;
	}
	json_t *obj = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s}", "desktop", m->desktop, "task", m->task,
		"state", machine_state_name(m->state), "reason", m->reason, "uid", (json_int_t)m->uid, "image",
		m->image);

	if (!obj)
		return;
	if (m->endpoint.kind != ENDPOINT_NONE)
		json_object_set_new(obj, "endpoint", endpoint_json(m));
	if (m->host[0])
		json_object_set_new(obj, "host", json_string(m->host));
	json_array_append_new(l->machines, obj);
}

struct host_listing {
	struct job *job;
	const struct driver *d;
	const json_t *silent; /* names; NULL: machines were not asked for */
};

static void host_collect(const struct driver_host *h, void *arg)
{
	struct host_listing *l = arg;
	bool is_silent = false;
	json_t *name;
	size_t i;

	json_array_foreach((json_t *)l->silent, i, name)
		is_silent |= strcmp(json_string_value(name), h->name) == 0;
	json_array_append_new(l->job->hosts, json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:s,s:b}", "provider", l->d->name, "name",
		h->name, "processors", (json_int_t)h->processors, "memory_mb", (json_int_t)h->memory_mb, "free_mb",
		(json_int_t)h->free_mb, "machines", (json_int_t)h->machines, "capacity", (json_int_t)h->capacity, "usable",
		h->usable, "reason", h->reason, "listed", !is_silent));
}

static int provider_hosts(struct job *job, struct driver *d, const json_t *silent)
{
	struct host_listing l = { job, d, silent };
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (!job->hosts)
		job->hosts = json_array();
	rc = driver_hosts(d, host_collect, &l, &err);
	if (rc < 0)
		pst_warn("no list of hosts: %s", err.text);
	return rc;
}

/* A provider that fails in the middle has said nothing: what it said before that is forgotten. */
static void provider_machines(struct job *job, struct driver *d)
{
	struct listing own = { json_array(), json_array() };
	struct pst_err err = PST_ERR_INIT;
	int rc = driver_list(d, machine_collect, &own, &err);

	if (rc < 0)
		pst_warn("no list of machines: %s", err.text);
	/* Of which hosts it lacks the machines stands with the hosts: without them the list says too much. */
	if (provider_hosts(job, d, own.silent) < 0 || rc < 0)
		json_array_append_new(job->unlisted, json_string(d->name));
	else
		json_array_extend(job->machines, own.machines);
	json_decref(own.machines);
	json_decref(own.silent);
}

static void machines_list(struct job *job)
{
	job->machines = json_array();
	job->unlisted = json_array();
	for (size_t i = 0; i < job->drivers_n; i++)
		provider_machines(job, job->drivers[i]);
}

static void network_collect(const struct driver_network *n, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:b}", "name", n->name, "kind", n->kind, "about", n->about, "peers", n->peers));
}

static void provider_collect(struct job *job, struct driver *d)
{
	json_t *networks = json_array();
	struct pst_err err = PST_ERR_INIT, ignored = PST_ERR_INIT;
	struct driver_capacity c;
	int rc = driver_capacity(d, &c, &err);
	char can[128];

	(void)driver_networks(d, network_collect, networks, &ignored);
	json_array_append_new(job->providers, json_pack("{s:s,s:s,s:I,s:b,s:s,s:s,s:s,s:o}", "name", d->name,
		"kind", d->type->kind, "capacity", (json_int_t)c.machines, "healthy", rc == 0 && c.healthy,
		"reason", rc < 0 ? err.text : c.reason, "limits", c.limits,
		"can", driver_can_text(c.can, can, sizeof(can)), "networks", networks));
}

static void providers_list(struct job *job)
{
	job->providers = json_array();
	for (size_t i = 0; i < job->drivers_n; i++)
		provider_collect(job, job->drivers[i]);
}

/* The driver that the command names; NULL with the error in the job. */
static struct driver *provider_find(struct job *job)
{
	for (size_t i = 0; i < job->drivers_n; i++) {
		if (strcmp(job->drivers[i]->name, job->provider) == 0)
			return job->drivers[i];
	}
	job->rc = pst_err_set(&job->err, PST_EINVAL,
		"no provider \"%s\" is configured; see provisioner.conf", job->provider);
	return NULL;
}

static void create_run(struct job *job)
{
	struct driver *d = provider_find(job);

	if (d)
		job->rc = driver_create(d, &job->request, &job->machine, &job->err);
}

/* A machine that nobody claims is of no provider that the broker knows: whoever has it, and nobody is fine too. */
static void destroy_run(struct job *job)
{
	struct driver *d = job->provider ? provider_find(job) : NULL;

	if (d)
		job->rc = driver_destroy(d, job->desktop, &job->err);
	for (size_t i = 0; !job->provider && i < job->drivers_n && job->rc == 0; i++)
		job->rc = driver_destroy(job->drivers[i], job->desktop, &job->err);
}

static void restart_run(struct job *job)
{
	if (job->provider) {
		struct driver *d = provider_find(job);

		if (d)
			job->rc = driver_restart(d, &job->request, job->refresh, &job->machine, &job->err);
		return;
	}
	job->rc = PST_ENOTFOUND;
	for (size_t i = 0; i < job->drivers_n && job->rc == PST_ENOTFOUND; i++)
		job->rc = driver_restart(job->drivers[i], &job->request, job->refresh, &job->machine, &job->err);
}

static void operate_run(struct job *job)
{
	struct driver *d = provider_find(job);

	if (d)
		job->rc = operation_run(job->operation, d, job->desktop, job->arg, &job->err);
}

static void disk_run(struct job *job)
{
	struct driver *d = provider_find(job);

	if (!d)
		return;
	if (job->kind == JOB_ATTACH)
		job->rc = driver_personal_attach(d, job->desktop, &job->personal, &job->err);
	else if (job->kind == JOB_DETACH)
		job->rc = driver_personal_detach(d, job->desktop, &job->personal, &job->err);
	else
		job->rc = driver_personal_remove(d, &job->personal, job->order.keep_ms, &job->err);
}

static void console_run(struct job *job)
{
	struct driver *d = provider_find(job);
	struct machine_screen screen;

	if (!d)
		return;
	job->rc = job->is_user ? driver_way(d, job->desktop, job->pin, &screen, &job->account, &job->err) :
				 driver_console(d, job->desktop, job->is_shared, &screen, &job->err);
	if (job->rc < 0)
		return;
	job->machine.endpoint.kind = screen.at.kind;
	if (screen.password[0] && !job->account)
		job->account = json_pack("{s:s}", "password", screen.password);
	pst_wipe(screen.password, sizeof(screen.password));
	job->fd = screen.fd >= 0 ? screen.fd : console_dial(&screen.at, &job->err);
	job->rc = job->fd < 0 ? job->err.code : 0;
	job->has_fd = job->fd >= 0;
}

static void kind_run(struct job *job)
{
	switch (job->kind) {
	case JOB_CREATE:
		create_run(job);
		break;
	case JOB_DESTROY:
		destroy_run(job);
		break;
	case JOB_RESTART:
		restart_run(job);
		break;
	case JOB_OPERATE:
		operate_run(job);
		break;
	case JOB_ATTACH:
	case JOB_DETACH:
	case JOB_FORGET:
		disk_run(job);
		break;
	case JOB_CONSOLE:
		console_run(job);
		break;
	case JOB_HELLO:
		providers_list(job);
		machines_list(job);
		break;
	case JOB_INVENTORY:
		machines_list(job);
		break;
	case JOB_HEALTH:
		providers_list(job);
		for (size_t i = 0; i < job->drivers_n; i++)
			(void)provider_hosts(job, job->drivers[i], NULL);
		break;
	}
}

void job_run(struct job *job)
{
	job->err = (struct pst_err)PST_ERR_INIT; /* of an earlier run */
	if (job->desktop[0])
		order_give(job->desktop, &job->order);
	kind_run(job);
	if (job->desktop[0])
		order_forget(job->desktop);
}

/* A VNC server's password stands by itself. */
static json_t *way_json(const struct job *job)
{
	const json_t *password = json_object_get(job->account, "password");

	if (job->machine.endpoint.kind == ENDPOINT_RDP)
		return json_pack("{s:s, s:O?}", "kind", "rdp", "account", job->account);
	return json_pack("{s:s, s:O?}", "kind", job->machine.endpoint.kind == ENDPOINT_DBUS ? "dbus" : "rfb", "password", password);
}

json_t *job_reply(const struct job *job)
{
	switch (job->kind) {
	case JOB_CREATE:
	case JOB_RESTART:
		return json_pack("{s:o,s:I,s:s}", "endpoint", endpoint_json(&job->machine), "uid", (json_int_t)job->machine.uid, "host",
			job->machine.host);
	case JOB_INVENTORY:
		return json_pack("{s:O,s:O,s:O?}", "machines", job->machines, "unlisted", job->unlisted, "hosts", job->hosts);
	case JOB_HELLO:
		return json_pack("{s:s,s:O,s:O,s:O,s:O?}", "op", "hello", "providers", job->providers, "machines", job->machines,
			"unlisted", job->unlisted, "hosts", job->hosts);
	case JOB_CONSOLE:
		return way_json(job);
	default:
		return json_object();
	}
}

char *job_health_text(const struct job *job)
{
	json_t *all = json_pack("{s:O,s:[]}", "providers", job->providers, "hosts"), *h;
	char *text;
	size_t i;

	json_array_foreach(job->hosts, i, h)
		json_array_append_new(json_object_get(all, "hosts"), json_pack("[O,O,O,O]", json_object_get(h, "provider"),
			json_object_get(h, "name"), json_object_get(h, "usable"), json_object_get(h, "reason")));
	text = all ? pst_json_text(all, NULL) : NULL;
	json_decref(all);
	return text;
}

json_t *job_refusal(const struct pst_err *err)
{
	return json_pack("{s:{s:s,s:s,s:i,s:b}}", "error", "code", pst_code_word(err->code), "title", err->text,
		"status", pst_code_http(err->code), "retryable", (int)driver_is_retryable(err->code));
}

static void providers_log(const json_t *providers)
{
	json_t *o;
	size_t i;

	json_array_foreach((json_t *)providers, i, o)
		pst_info("provider name=%s capacity=%d healthy=%s limits=\"%s\" %s", pst_json_str(o, "name", 64),
			(int)pst_json_int(o, "capacity", 0, INT32_MAX, 0),
			pst_json_bool(o, "healthy", false) ? "yes" : "no", pst_json_str(o, "limits", 64),
			pst_json_str(o, "reason", MACHINE_REASON_SIZE));
}

static void hosts_log(const json_t *hosts)
{
	json_t *o;
	size_t i;

	json_array_foreach((json_t *)hosts, i, o) {
		bool usable = pst_json_bool(o, "usable", false);

		pst_info("host provider=%s name=%s usable=%s memory_mb=%d %s", pst_json_str(o, "provider", 64), pst_json_str(o, "name", 64),
			usable ? "yes" : "no", (int)pst_json_int(o, "memory_mb", 0, INT32_MAX, 0),
			usable ? "" : pst_json_str(o, "reason", MACHINE_REASON_SIZE));
	}
}

void job_health_log(const struct job *job)
{
	providers_log(job->providers);
	hosts_log(job->hosts);
}

void job_finish(struct job *job)
{
	if (job->has_fd)
		pst_fd_close(&job->fd);
	job->has_fd = false;
	json_decref(job->machines);
	json_decref(job->providers);
	json_decref(job->unlisted);
	json_decref(job->hosts);
	json_decref(job->account);
	job->account = NULL;
	job->machines = job->providers = job->unlisted = job->hosts = NULL;
}
