/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One driver of the registry, as a program: driver_tool DATA CONF SECTION. A command a line on stdin,
 * "NUMBER VERB [DESKTOP [WORD...]]", each on a thread of the pool; a JSON object a line on stdout
 * when it is done: {"n": NUMBER, "code": "ok", ...}. Ends of watched desktops are {"ended": DESKTOP, "reason": …}.
 */
#include "base/unixsock.h"
#include "base/conf.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/backup/task.h"
#include "broker/hypervisor/registry.h"
#include "broker/hypervisor/storage/order.h"
#include "broker/hypervisor/storage/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define WORDS 7

static struct driver *driver;
static uv_loop_t loop;
static char input[LINE_MAX_BYTES];
static size_t input_len;

struct command {
	uv_work_t work;
	long number;
	char line[LINE_MAX_BYTES];
	char *verb, *words[WORDS]; /* in line; "" where there is none */
	int rc;
	struct pst_err err;
	json_t *answer; /* owned */
};

static void say(json_t *o)
{
	char *text = pst_json_text(o, NULL);

	puts(text);
	fflush(stdout);
	free(text);
	json_decref(o);
}

static json_t *machine_json(const struct machine *m)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:b,s:s}", "desktop", m->desktop, "task", m->task, "image", m->image, "host", m->host,
		"reason", m->reason, "address", m->endpoint.address, "kind", (int)m->endpoint.kind, "port", (int)m->endpoint.port, "agent", m->endpoint.has_agent, "state", machine_state_name(m->state));
}

/* What the environment says, for guests that want more. */
static uint32_t number_of(const char *name, uint32_t fallback)
{
	const char *text = getenv(name);
	uint32_t value;

	return text && pst_parse_u32(text, 1, 1 << 20, &value) == 0 ? value : fallback;
}

static bool is_word(const char *name, const char *word)
{
	return getenv(name) && strcmp(getenv(name), word) == 0;
}

static void details_fill(const char *base, struct machine_request *r)
{
	pst_strlcpy(r->image_name, sizeof(r->image_name), "demo");
	pst_strlcpy(r->image_version, sizeof(r->image_version), "1");
	pst_strlcpy(r->image_base, sizeof(r->image_base), base);
	pst_strlcpy(r->image_path, sizeof(r->image_path), "/images/demo/1");
	pst_strlcpy(r->hostname, sizeof(r->hostname), "test");
	pst_strlcpy(r->locale, sizeof(r->locale), "en_US");
	pst_strlcpy(r->layout, sizeof(r->layout), "us");
	pst_strlcpy(r->network, sizeof(r->network), "host");
	r->memory_mb = number_of("PUESTO_MEMORY_MB", 128);
	r->cpu_percent = number_of("PUESTO_CPU_PERCENT", 100);
	r->is_windows = is_word("PUESTO_OS", "windows");
	r->has_rdp = is_word("PUESTO_DISPLAY", "rdp");
	r->pids = 100;
	r->max_width = 1280;
	r->max_height = 800;
}

/* words: DESKTOP TASK BASE TOKEN [NETWORK [HOST [DISK_MB]]] */
static void request_fill(const struct command *c, struct machine_request *r)
{
	memset(r, 0, sizeof(*r));
	details_fill(c->words[2], r);
	pst_strlcpy(r->desktop, sizeof(r->desktop), c->words[0]);
	pst_strlcpy(r->task, sizeof(r->task), c->words[1]);
	pst_strlcpy(r->enrol_token, sizeof(r->enrol_token), c->words[3]);
	if (c->words[4][0])
		pst_strlcpy(r->network, sizeof(r->network), c->words[4]);
	pst_strlcpy(r->host, sizeof(r->host), c->words[5]);
	r->disk_mb = (uint32_t)atoi(c->words[6]);
}

static void run_create(struct command *c)
{
	struct machine_request r;
	struct machine m;

	request_fill(c, &r);
	c->rc = driver_create(driver, &r, &m, &c->err);
	if (c->rc == 0)
		json_object_set_new(c->answer, "machine", machine_json(&m));
}

/* DESKTOP TASK KIND TOKEN [BASE]: with the last a refresh asks for all that the machine shall be, as the broker does. */
static void run_restart(struct command *c)
{
	struct machine_request r = { .memory_mb = 0 };
	struct machine m;

	if (c->words[4][0])
		details_fill(c->words[4], &r);
	pst_strlcpy(r.desktop, sizeof(r.desktop), c->words[0]);
	pst_strlcpy(r.task, sizeof(r.task), c->words[1]);
	pst_strlcpy(r.enrol_token, sizeof(r.enrol_token), c->words[3]);
	c->rc = driver_restart(driver, &r, strcmp(c->words[2], "refresh") == 0, &m, &c->err);
	if (c->rc == 0)
		json_object_set_new(c->answer, "machine", machine_json(&m));
}

static void run_destroy(struct command *c)
{
	c->rc = driver_destroy(driver, c->words[0], &c->err);
}

static void on_machine(const struct machine *m, void *arg)
{
	json_array_append_new(arg, machine_json(m));
}

static void run_list(struct command *c)
{
	json_t *machines = json_array();

	c->rc = driver_list(driver, on_machine, machines, &c->err);
	json_object_set_new(c->answer, "machines", machines);
}

static void run_capacity(struct command *c)
{
	struct driver_capacity cap;
	char text[200];

	c->rc = driver_capacity(driver, &cap, &c->err);
	if (c->rc == 0)
		json_object_set_new(c->answer, "capacity", json_pack("{s:b,s:s,s:i,s:s,s:s}", "healthy", (int)cap.healthy, "reason", cap.reason,
			"machines", (int)cap.machines, "can", driver_can_text(cap.can, text, sizeof(text)), "limits", cap.limits));
}

static void on_host(const struct driver_host *h, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s,s:i,s:i,s:i,s:b,s:s}", "name", h->name, "memory_mb", (int)h->memory_mb, "free_mb", (int)h->free_mb,
		"machines", (int)h->machines, "usable", (int)h->usable, "reason", h->reason));
}

static void on_network(const struct driver_network *n, void *arg)
{
	json_array_append_new(arg, json_pack("{s:s,s:s,s:s}", "name", n->name, "kind", n->kind, "about", n->about));
}

static void run_places(struct command *c)
{
	json_t *hosts = json_array(), *networks = json_array();

	c->rc = driver_hosts(driver, on_host, hosts, &c->err);
	if (c->rc == 0)
		c->rc = driver_networks(driver, on_network, networks, &c->err);
	json_object_set_new(c->answer, "hosts", hosts);
	json_object_set_new(c->answer, "networks", networks);
}

static void run_power(struct command *c)
{
	static const char *const wishes[] = { "start", "stop", "off", "suspend" };

	c->rc = PST_EINVAL;
	for (size_t i = 0; i < PST_ARRAY_LEN(wishes); i++) {
		if (strcmp(wishes[i], c->words[1]) == 0)
			c->rc = driver_power(driver, c->words[0], (enum machine_power)i, &c->err);
	}
}

static void run_snapshot(struct command *c)
{
	if (strcmp(c->words[1], "take") == 0)
		c->rc = driver_snapshot_take(driver, c->words[0], c->words[2], &c->err);
	else if (strcmp(c->words[1], "revert") == 0)
		c->rc = driver_snapshot_revert(driver, c->words[0], c->words[2], &c->err);
	else
		c->rc = driver_snapshot_drop(driver, c->words[0], c->words[2], &c->err);
}

static void run_resize(struct command *c)
{
	struct machine_size size = { .memory_mb = (uint32_t)atoi(c->words[1]), .cpu_percent = (uint32_t)atoi(c->words[2]),
		.disk_mb = (uint32_t)atoi(c->words[3]) };

	c->rc = driver_resize(driver, c->words[0], &size, &c->err);
}

static void run_migrate(struct command *c)
{
	c->rc = driver_migrate(driver, c->words[0], c->words[1], &c->err);
}

/* DESKTOP [SOCKET]: a connection goes to who listens there. */
static void run_console(struct command *c)
{
	struct machine_screen s;
	int to;

	c->rc = driver_console(driver, c->words[0], true, &s, &c->err);
	if (c->rc != 0)
		return;
	json_object_set_new(c->answer, "path", json_string(s.at.address));
	json_object_set_new(c->answer, "password", json_string(s.password));
	if (s.fd < 0)
		return;
	to = pst_unix_connect(c->words[1], &c->err);
	if (to < 0 || pst_fd_send(to, "c", 1, &s.fd, 1) != 1)
		c->rc = PST_EIO;
	pst_fd_close(&to);
	pst_fd_close(&s.fd);
}

/* DESKTOP [PIN]: where its user comes in, and with what. */
static void run_way(struct command *c)
{
	struct machine_screen s;
	json_t *account;

	c->rc = driver_way(driver, c->words[0], c->words[1], &s, &account, &c->err);
	if (c->rc < 0)
		return;
	json_object_update_new(c->answer, json_pack("{s:i,s:s,s:i}", "kind", (int)s.at.kind, "address", s.at.address, "port", (int)s.at.port));
	json_object_set_new(c->answer, "account", account ? account : json_null());
	pst_fd_close(&s.fd);
}

/* As the provisioner asks for it, but not as long. */
static void run_detach(struct command *c, const struct machine_personal *p)
{
	for (int i = 0; i < 20; i++) {
		c->err = (struct pst_err)PST_ERR_INIT;
		c->rc = driver_personal_detach(driver, c->words[1], p, &c->err);
		if (c->rc != PST_EAGAIN)
			break;
		usleep(500000);
	}
}

/* attach|detach|remove DESKTOP OWNER MB STORE ("-": none): a user's own disk called "files", kept so many ms where it is removed. */
static void run_personal(struct command *c)
{
	struct machine_personal p = { .name = "files", .size_mb = (uint32_t)atoi(c->words[3]) };

	pst_strlcpy(p.owner, sizeof(p.owner), c->words[2]);
	pst_strlcpy(p.store, sizeof(p.store), strcmp(c->words[4], "-") == 0 ? "" : c->words[4]);
	if (strcmp(c->words[0], "attach") == 0)
		c->rc = driver_personal_attach(driver, c->words[1], &p, &c->err);
	else if (strcmp(c->words[0], "detach") == 0)
		run_detach(c, &p);
	else
		c->rc = driver_personal_remove(driver, &p, atoi(c->words[3]), &c->err);
}

static void run_cancel(struct command *c)
{
	driver_cancel(driver, c->words[0]);
}

/* What the broker says beside the commands that follow: DESKTOP KEEP_MS restore|no */
static void run_order(struct command *c)
{
	struct order o = { .keep_ms = strtoll(c->words[1], NULL, 10), .is_restore = strcmp(c->words[2], "restore") == 0, .reason = "the test" };

	pst_strlcpy(o.image_sha256, sizeof(o.image_sha256), c->words[3]);
	order_give(c->words[0], &o);
}

static struct backup_task *backup; /* the one at work */

static void on_backup(void *arg)
{
}

/* An order as the broker writes it, without spaces; the last news of it is the answer. */
static void run_backup(struct command *c)
{
	json_t *msg = json_loads(c->words[0], 0, NULL), *news = NULL;
	struct backup_order o;

	c->rc = backup_order_parse(msg, &o, &c->err);
	json_decref(msg);
	if (c->rc < 0)
		return;
	backup = backup_task_create(stores_shared(), driver, &o, on_backup, NULL);
	backup_task_start(backup);
	while (!backup_task_is_over(backup))
		usleep(20000);
	backup_task_news(backup, &news);
	json_object_set_new(c->answer, "news", news);
	backup_task_destroy(backup);
	backup = NULL;
}

static void run_backup_cancel(struct command *c)
{
	if (backup)
		backup_task_cancel(backup, NULL);
}

/* words: DATASTORE IMAGE VERSION FILE: a qcow2 file becomes a version, or a version is copied into a file. */
static void run_version(struct command *c)
{
	struct store_view v;
	struct manifest m;
	struct version_params p = { .image = c->words[1], .version = c->words[2], .source = c->words[3] };
	struct store_fetch f = { .image = c->words[1], .version = c->words[2], .target = c->words[3], .cancel_fd = -1 };
	const char *const none[] = { NULL };

	if (!stores_view_named(stores_shared(), c->words[0], &v)) {
		c->rc = pst_err_set(&c->err, PST_ENOTFOUND, "no datastore %s", c->words[0]);
		return;
	}
	p.folder = v.s.path;
	if (strcmp(c->verb, "publish") == 0)
		c->rc = store_type_of(&v.s)->publish(&v.s, &p, &m, &c->err);
	else if (strcmp(c->verb, "fetch") == 0)
		c->rc = store_type_of(&v.s)->fetch(&v.s, &f, &c->err);
	else if (strcmp(c->verb, "unpublish") == 0)
		c->rc = store_type_of(&v.s)->remove(&v.s, none, c->words[1], c->words[2], "the test", 0, &c->err);
	else
		c->rc = store_type_of(&v.s)->purge(&v.s, none, INT64_MAX / 2, NULL, &c->err);
}

static void run_stores(struct command *c)
{
	json_t *list = json_object();
	struct store_view v;

	for (size_t i = 0; stores_view(stores_shared(), i, &v); i++) {
		stores_look(stores_shared(), v.s.name);
		json_object_set_new(list, v.s.name, storage_store_json(&v));
	}
	json_object_set_new(c->answer, "stores", list);
}

static const struct {
	const char *verb;
	void (*run)(struct command *c);
} verbs[] = {
	{ "create", run_create },
	{ "restart", run_restart },
	{ "destroy", run_destroy },
	{ "list", run_list },
	{ "capacity", run_capacity },
	{ "places", run_places },
	{ "power", run_power },
	{ "snapshot", run_snapshot },
	{ "resize", run_resize },
	{ "migrate", run_migrate },
	{ "console", run_console },
	{ "way", run_way },
	{ "personal", run_personal },
	{ "cancel", run_cancel },
	{ "order", run_order },
	{ "backup", run_backup },
	{ "backup_cancel", run_backup_cancel },
	{ "publish", run_version },
	{ "fetch", run_version },
	{ "unpublish", run_version },
	{ "purge", run_version },
	{ "stores", run_stores },
};

static void on_work(uv_work_t *work)
{
	struct command *c = work->data;

	for (size_t i = 0; i < PST_ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].verb, c->verb) == 0) {
			verbs[i].run(c);
			return;
		}
	}
	c->rc = pst_err_set(&c->err, PST_EINVAL, "no verb \"%s\"", c->verb);
}

static void command_answer(struct command *c)
{
	json_object_set_new(c->answer, "n", json_integer(c->number));
	json_object_set_new(c->answer, "code", json_string(c->rc < 0 ? pst_code_word(c->rc) : "ok"));
	json_object_set_new(c->answer, "error", json_string(c->err.text));
	say(c->answer);
	free(c);
}

static void on_done(uv_work_t *work, int status)
{
	command_answer(work->data);
}

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	say(json_pack("{s:s,s:s}", "ended", desktop, "reason", reason));
}

static void command_start(const char *line)
{
	struct command *c = pst_zalloc(1, sizeof(*c));
	char *rest;

	pst_strlcpy(c->line, sizeof(c->line), line);
	rest = c->line;
	c->number = strtol(strsep(&rest, " "), NULL, 10);
	c->verb = rest ? strsep(&rest, " ") : "";
	for (size_t i = 0; i < WORDS; i++)
		c->words[i] = rest ? strsep(&rest, " ") : "";
	c->answer = json_object();
	c->work.data = c;
	if (strcmp(c->verb, "watch") == 0) {
		c->rc = driver_watch(driver, c->words[0], on_ended, NULL, &c->err);
		command_answer(c);
		return;
	}
	uv_queue_work(&loop, &c->work, on_work, on_done);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	*buf = uv_buf_init(input + input_len, (unsigned)(sizeof(input) - input_len - 1));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	char *end;

	if (n < 0) {
		uv_close((uv_handle_t *)stream, NULL);
		pst_loop_stop(&loop);
		return;
	}
	input_len += (size_t)n;
	input[input_len] = '\0';
	while ((end = strchr(input, '\n'))) {
		*end = '\0';
		command_start(input);
		input_len -= (size_t)(end + 1 - input);
		memmove(input, end + 1, input_len + 1);
	}
}

static void on_stop(void *arg)
{
	driver_close(driver);
}

int main(int argc, char **argv)
{
	struct driver_params p = { .name = "test", .libexec = "/nowhere", .loop = &loop };
	struct pst_err err = PST_ERR_INIT;
	uv_pipe_t in;

	if (argc != 4)
		return 2;
	setenv("UV_THREADPOOL_SIZE", "8", 1);
	uv_loop_init(&loop);
	p.data = argv[1];
	p.conf = pst_conf_create();
	p.section = argv[3];
	if (pst_conf_load(p.conf, argv[2], &err) == 0 && storage_configure(stores_shared(), p.conf, p.data, &err) == 0)
		driver = driver_open(registry_find(pst_conf_str(p.conf, p.section, "kind", "local")), &p, &err);
	if (!driver) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	uv_pipe_init(&loop, &in, 0);
	uv_pipe_open(&in, 0);
	uv_read_start((uv_stream_t *)&in, on_alloc, on_read);
	pst_loop_run_until_signal(&loop, on_stop, NULL, NULL);
	pst_loop_drain(&loop);
	pst_conf_destroy(p.conf);
	return 0;
}
