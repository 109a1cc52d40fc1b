/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provisioner's connection: commands out, results, hello and reports in. */
#include "broker/control/control_priv.h"

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/core/state.h"

#include <stdlib.h>
#include <string.h>

#define PROVIDERS_MAX 64
#define MACHINES_MAX 20000
#define HOSTS_MAX 1024
#define NETWORKS_MAX 2048
#define FRAME_MAX (PST_CTL_QUEUE_MAX / 2) /* the hello names every machine */
#define COMMAND_MS (15 * 60 * 1000)
#define ASK_MS (60 * 1000)
#define INVENTORY_MS (5 * 60 * 1000)

struct command {
	struct control *c;
	char task[CORE_ID_SIZE];
};

/* --- commands --------------------------------------------------------------------- */

static json_t *spec_json(const struct provider_command *cmd)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:s, s:s, s:s}", "memory_mb", cmd->memory_mb, "cpus", cmd->cpus, "pids",
		cmd->pids, "disk_mb", cmd->disk_mb, "network", cmd->network ? cmd->network : "host", "max_width", cmd->max_width, "max_height",
		cmd->max_height, "locale", cmd->locale ? cmd->locale : "", "layout", cmd->layout ? cmd->layout : "", "display",
		cmd->display ? cmd->display : "image");
}

/* For whoever places or removes its disk. */
static void recycling_add(json_t *msg, const struct provider_command *cmd)
{
	if (cmd->recycling.pool)
		json_object_set_new(msg, "pool", json_string(cmd->recycling.pool));
	if (cmd->recycling.keep_ms > 0 && (cmd->kind == TASK_CREATE || cmd->kind == TASK_DESTROY)) {
		json_object_set_new(msg, "keep_ms", json_integer(cmd->recycling.keep_ms));
		json_object_set_new(msg, "restore", json_boolean(cmd->recycling.is_restore));
		json_object_set_new(msg, "why", json_string("desktop removed"));
	}
}

static void personal_add(json_t *msg, const struct provider_command *cmd)
{
	json_object_set_new(msg, "owner", json_string(cmd->owner));
	json_object_set_new(msg, "disk", json_string(cmd->disk));
	json_object_set_new(msg, "store", json_string(cmd->store));
	json_object_set_new(msg, "size_mb", json_integer(cmd->personal_mb));
}

static json_t *command_json(const struct provider_command *cmd)
{
	const char *op = task_kind_text(cmd->kind == TASK_REFRESH ? TASK_RESTART : cmd->kind);
	json_t *msg = json_pack("{s:s, s:s, s:s}", "op", op, "task", cmd->task, "desktop", cmd->desktop);

	if (cmd->kind == TASK_RESTART || cmd->kind == TASK_REFRESH)
		json_object_set_new(msg, "refresh", json_boolean(cmd->kind == TASK_REFRESH));
	if (cmd->provider)
		json_object_set_new(msg, "provider", json_string(cmd->provider));
	if (cmd->arg && cmd->arg[0])
		json_object_set_new(msg, "arg", json_string(cmd->arg));
	if (cmd->host && cmd->host[0])
		json_object_set_new(msg, "host", json_string(cmd->host));
	recycling_add(msg, cmd);
	if (cmd->owner)
		personal_add(msg, cmd);
	if (cmd->enrol_token)
		json_object_set_new(msg, "enrol_token", json_string(cmd->enrol_token));
	if (cmd->kind != TASK_CREATE && cmd->kind != TASK_REFRESH)
		return msg;
	json_object_set_new(msg, "hostname", json_string(cmd->hostname));
	json_object_set_new(msg, "image", json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", cmd->image_name, "version",
		cmd->image_version, "base", cmd->image_base, "path", cmd->image_path, "os", cmd->image_os));
	json_object_set_new(msg, "spec", spec_json(cmd));
	if (cmd->image_sha256 && cmd->image_sha256[0])
		json_object_set_new(msg, "image_sha256", json_string(cmd->image_sha256));
	return msg;
}

static void command_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct command *cmd = arg;
	struct provider_result res = {.task = cmd->task};
	struct pst_err err = PST_ERR_INIT;
	json_t *error = reply ? json_object_get(reply, "error") : NULL;
	json_t *endpoint = reply ? json_object_get(reply, "endpoint") : NULL;
	char *text = NULL;

	pst_fd_close(&fd);
	if (!reply) {
		/* Not an answer: the core asks again with the same task. */
		pst_debug("command task=%s has no answer: %s", cmd->task, call_err ? call_err->text : "");
		free(cmd);
		return;
	}
	res.ok = !error;
	if (error) {
		res.retryable = pst_json_bool(error, "retryable", pst_json_bool(reply, "retryable", true));
		res.error_code = pst_json_str(error, "code", 64);
		res.error = pst_json_str(error, "title", 4096);
		res.error_code = res.error_code ? res.error_code : "failed";
		res.error = res.error ? res.error : "the provisioner gave no reason";
	}
	if (json_is_object(endpoint))
		res.endpoint = text = pst_json_text(endpoint, NULL);
	res.uid = pst_json_int(reply, "uid", 0, UINT32_MAX, 0);
	res.host = pst_json_str(reply, "host", 64);
	if (reconciler_task_result(cmd->c->rec, &res, &err) < 0)
		pst_warn("result of task=%s not taken: %s", cmd->task, err.text);
	free(text);
	free(cmd);
}

void provisioner_send(struct control *c, const struct provider_command *cmd)
{
	struct command *own = c->provisioner ? pst_zalloc(1, sizeof(*own)) : NULL;

	if (!own)
		return;
	own->c = c;
	pst_strlcpy(own->task, sizeof(own->task), cmd->task);
	pst_ctl_call(c->provisioner, command_json(cmd), COMMAND_MS, command_done, own);
}

bool provisioner_ask(void *arg, json_t *msg, pst_ctl_done_cb done, void *done_arg)
{
	struct control *c = arg;

	if (!c->provisioner) {
		json_decref(msg);
		return false;
	}
	if (done)
		pst_ctl_call(c->provisioner, msg, ASK_MS, done, done_arg);
	else
		pst_ctl_send(c->provisioner, msg);
	return true;
}

bool provisioner_is_connected(void *arg)
{
	struct control *c = arg;

	return c->provisioner != NULL;
}

/* --- reports ---------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key, size_t max)
{
	const char *s = pst_json_str(o, key, max);

	return s ? s : "";
}

/* A name that people are shown and commands carry; "" for what is none. */
static const char *name_of(const json_t *o, const char *key)
{
	const char *s = text_of(o, key, CORE_WORD_SIZE - 1);

	return pst_name_valid(s, CORE_WORD_SIZE - 1) ? s : "";
}

/* endpoint text is owned by the caller: *ret_text */
static void read_machine(const json_t *o, struct machine_report *m, char **ret_text)
{
	json_t *endpoint = json_object_get(o, "endpoint");

	*ret_text = json_is_object(endpoint) ? pst_json_text(endpoint, NULL) : NULL;
	*m = (struct machine_report){
		.desktop = text_of(o, "desktop", 36),
		.task = text_of(o, "task", 36),
		.state = text_of(o, "state", 16),
		.reason = text_of(o, "reason", 300),
		.endpoint = *ret_text,
		.image = text_of(o, "image", 130),
		.host = name_of(o, "host"),
		.uid = pst_json_int(o, "uid", 0, UINT32_MAX, 0),
	};
}

static size_t read_providers(const json_t *list, struct provider_report *out)
{
	size_t i, n = 0;
	json_t *o;

	json_array_foreach(list, i, o) {
		if (n == PROVIDERS_MAX)
			break;
		out[n++] = (struct provider_report){
			.name = text_of(o, "name", 64),
			.kind = text_of(o, "kind", 64),
			.reason = text_of(o, "reason", 300),
			.capacity = (int)pst_json_int(o, "capacity", 0, 1000000, 0),
			.healthy = pst_json_bool(o, "healthy", false),
			.can = text_of(o, "can", 127),
		};
	}
	return n;
}

/* A list of machines as it is on the wire, and what it takes to read it. */
struct list {
	struct machine_list reports;
	struct machine_report *machines;
	struct host_report *hosts;
	char **texts;
	const char *unlisted[PROVIDERS_MAX];
};

static void list_finish(struct list *l)
{
	for (size_t i = 0; l->texts && i < l->reports.count; i++)
		free(l->texts[i]);
	free(l->texts);
	free(l->hosts);
	free(l->machines);
}

static void read_host(const json_t *o, struct host_report *h)
{
	*h = (struct host_report){
		.provider = text_of(o, "provider", 64),
		.name = text_of(o, "name", 64),
		.reason = text_of(o, "reason", 300),
		.processors = (int)pst_json_int(o, "processors", 0, INT32_MAX, 0),
		.memory_mb = (int)pst_json_int(o, "memory_mb", 0, INT32_MAX, 0),
		.free_mb = (int)pst_json_int(o, "free_mb", 0, INT32_MAX, 0),
		.machines = (int)pst_json_int(o, "machines", 0, INT32_MAX, 0),
		.capacity = (int)pst_json_int(o, "capacity", 0, INT32_MAX, 0),
		.usable = pst_json_bool(o, "usable", false),
		.listed = pst_json_bool(o, "listed", false),
	};
}

/* msg is borrowed as long as the list. A list that is too long is none: half of it would look like machines that are gone. */
static int list_read(struct list *l, const json_t *msg, struct pst_err *err)
{
	json_t *list = json_object_get(msg, "machines"), *unlisted = json_object_get(msg, "unlisted"), *o;
	json_t *hosts = json_object_get(msg, "hosts");
	size_t count = json_array_size(list), host_count = json_array_size(hosts), i;

	memset(l, 0, sizeof(*l));
	if (!json_is_array(list) || count > MACHINES_MAX || host_count > HOSTS_MAX || json_array_size(unlisted) > PROVIDERS_MAX)
		return pst_err_set(err, PST_EPROTO, "the provisioner's list is no list, or has more than %d machines", MACHINES_MAX);
	l->machines = pst_zalloc(count + 1, sizeof(*l->machines));
	l->texts = pst_zalloc(count + 1, sizeof(*l->texts));
	l->hosts = pst_zalloc(host_count + 1, sizeof(*l->hosts));
	if (!l->machines || !l->texts || !l->hosts) {
		list_finish(l);
		return pst_err_set(err, PST_ENOMEM, "no memory for a list of %zu machines", count);
	}
	json_array_foreach(list, i, o)
		read_machine(o, &l->machines[i], &l->texts[i]);
	json_array_foreach(unlisted, i, o)
		l->unlisted[i] = json_is_string(o) ? json_string_value(o) : "";
	json_array_foreach(hosts, i, o)
		read_host(o, &l->hosts[i]);
	l->reports = (struct machine_list){l->machines, l->unlisted, l->hosts, count, json_array_size(unlisted), host_count};
	return 0;
}

/* Of all providers, in one array: owned, NULL where there are none. */
static struct core_network *read_networks(const json_t *providers, size_t *ret_count)
{
	struct core_network *out = pst_zalloc(NETWORKS_MAX, sizeof(*out));
	json_t *o, *n;
	size_t i, k;

	*ret_count = 0;
	json_array_foreach(providers, i, o) {
		json_array_foreach(json_object_get(o, "networks"), k, n) {
			struct core_network *w = out && *ret_count < NETWORKS_MAX ? &out[(*ret_count)++] : NULL;

			if (!w)
				break;
			core_copy(w->provider, sizeof(w->provider), text_of(o, "name", 64));
			core_copy(w->name, sizeof(w->name), name_of(n, "name"));
			core_copy(w->kind, sizeof(w->kind), name_of(n, "kind"));
			core_copy(w->about, sizeof(w->about), name_of(n, "about"));
			w->peers = pst_json_bool(n, "peers", false);
		}
	}
	return out;
}

static int take_hello(struct control *c, const json_t *msg, struct pst_err *err)
{
	struct provider_report reports[PROVIDERS_MAX];
	struct provider_list providers = { .reports = reports, .count = read_providers(json_object_get(msg, "providers"), reports) };
	struct core_network *networks;
	struct list list;
	int rc = list_read(&list, msg, err);

	if (rc < 0)
		return rc;
	providers.networks = networks = read_networks(json_object_get(msg, "providers"), &providers.network_count);
	rc = reconciler_provisioner_hello(c->rec, &providers, &list.reports, err);
	list_finish(&list);
	free(networks);
	return rc;
}

static void inventory_done(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct control *c = arg;
	struct pst_err err = PST_ERR_INIT;
	struct list list;
	int rc;

	pst_fd_close(&fd);
	if (pst_ctl_reply_check(reply, call_err, &err) < 0) {
		pst_warn("the provisioner gave no list of its machines: %s", err.text);
		return;
	}
	rc = list_read(&list, reply, &err);
	if (rc == 0) {
		rc = reconciler_inventory(c->rec, &list.reports, &err);
		list_finish(&list);
	}
	if (rc < 0)
		pst_warn("the provisioner's list was not taken: %s", err.text);
}

void provisioner_ask_inventory(struct control *c)
{
	if (c->provisioner)
		pst_ctl_call(c->provisioner, json_pack("{s:s}", "op", "inventory"), INVENTORY_MS, inventory_done, c);
}

static void on_hello(struct control *c, struct pst_ctl *ctl, json_t *msg)
{
	struct pst_err err = PST_ERR_INIT;

	/* First the answer, then the commands that the hello leads to. */
	if (c->provisioner && c->provisioner != ctl) {
		pst_warn("a second provisioner said hello: the first one is dropped");
		reconciler_provisioner_gone(c->rec);
		storage_gone(c);
	}
	c->provisioner = ctl;
	pst_ctl_reply(ctl, msg, NULL);
	if (take_hello(c, msg, &err) < 0) {
		pst_error("the provisioner's hello was not taken: %s", err.text);
		c->provisioner = NULL;
		reconciler_provisioner_gone(c->rec); /* it may have been heard before */
		storage_gone(c);
		pst_ctl_close_flush(ctl);
		for (size_t i = 0; i < PST_ARRAY_LEN(c->provisioners); i++) {
			if (c->provisioners[i] == ctl)
				c->provisioners[i] = NULL;
		}
		return;
	}
	pst_info("provisioner connected machines=%zu", json_array_size(json_object_get(msg, "machines")));
}

static void on_report(struct control *c, const json_t *msg)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_report m;
	char *text;

	read_machine(msg, &m, &text);
	if (reconciler_machine_report(c->rec, &m, &err) < 0)
		pst_warn("report of desktop=%s not taken: %s", m.desktop, err.text);
	free(text);
}

static void message_cb(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	struct control *c = arg;
	const char *op = text_of(msg, "op", 32);

	pst_fd_close(&fd);
	if (strcmp(op, "hello") == 0)
		on_hello(c, ctl, msg);
	else if (strcmp(op, "report") == 0)
		on_report(c, msg);
	else if (c->provisioner != ctl || !storage_message(c, op, msg))
		reply_problem(ctl, msg, "bad_request", NULL, NULL, 0);
}

static void closed_cb(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct control *c = arg;

	for (size_t i = 0; i < PST_ARRAY_LEN(c->provisioners); i++) {
		if (c->provisioners[i] == ctl)
			c->provisioners[i] = NULL;
	}
	if (c->provisioner != ctl)
		return;
	c->provisioner = NULL;
	pst_warn("provisioner gone: %s", reason);
	reconciler_provisioner_gone(c->rec);
	storage_gone(c);
}

static const struct pst_ctl_events events = {.message = message_cb, .closed = closed_cb};

void provisioner_accept(struct pst_ctl *ctl, void *arg)
{
	struct control *c = arg;

	for (size_t i = 0; i < PST_ARRAY_LEN(c->provisioners); i++) {
		if (c->provisioners[i])
			continue;
		if (!peer_is_allowed(ctl, c->settings->provisioner_uid, "provisioner"))
			break;
		c->provisioners[i] = ctl;
		pst_ctl_set_frame_max(ctl, FRAME_MAX);
		pst_ctl_set_events(ctl, &events, c);
		return;
	}
	pst_ctl_close(ctl);
}

void provisioner_close(struct control *c)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(c->provisioners); i++) {
		if (c->provisioners[i])
			pst_ctl_close_flush(c->provisioners[i]);
		c->provisioners[i] = NULL;
	}
	c->provisioner = NULL;
}
