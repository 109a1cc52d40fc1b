/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A driver without a hypervisor: the contract and nothing else. */
#include "broker/hypervisor/fake_priv.h"

#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_HOSTS "one, two" /* where machines can be moved to */
#define FAKE_MEMORY_MB 65536

static const char *const fake_names[FAKE_HOSTS_MAX] = { "one", "two" };

struct fake_event {
	driver_ended_cb ended;
	void *arg;
	char desktop[PST_UUID_SIZE];
	char reason[MACHINE_REASON_SIZE];
};

struct fake *fake_of(struct driver *d)
{
	return pst_container_of(d, struct fake, base);
}

struct fake_machine *fake_find(struct fake *f, const char *desktop)
{
	for (size_t i = 0; i < FAKE_MACHINES_MAX; i++) {
		if (f->machines[i].used && strcmp(f->machines[i].m.desktop, desktop) == 0)
			return &f->machines[i];
	}
	return NULL;
}

static struct fake_machine *find_free(struct fake *f)
{
	for (size_t i = 0; i < FAKE_MACHINES_MAX; i++) {
		if (!f->machines[i].used)
			return &f->machines[i];
	}
	return NULL;
}

int fake_injected(struct fake *f, struct pst_err *err)
{
	if (f->fail_n == 0)
		return 0;
	f->fail_n--;
	return pst_err_set(err, f->fail_code, "the test wants this call to fail");
}

/* Its index, or -1. */
static int host_index(const char *name)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(fake_names); i++) {
		if (strcmp(fake_names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

static int host_check(const struct fake *f, const char *name, struct pst_err *err)
{
	int i = host_index(name);

	if (i < 0)
		return pst_err_set(err, PST_ENOTFOUND, "there is no host \"%s\"; there are: " FAKE_HOSTS, name);
	return f->silent[i] ? pst_err_set(err, PST_EIO, "host %s does not answer", name) : 0;
}

static bool machine_is_silent(const struct fake *f, const struct fake_machine *fm)
{
	int i = host_index(fm->m.host);

	return i >= 0 && f->silent[i];
}

static void machine_fill(struct fake *f, struct fake_machine *fm, const struct machine_request *r)
{
	struct machine *m = &fm->m;

	fm->used = true;
	m->state = MACHINE_RUNNING;
	m->reason[0] = '\0';
	m->uid = (uid_t)(300000 + (fm - f->machines));
	pst_strlcpy(m->desktop, sizeof(m->desktop), r->desktop);
	pst_strlcpy(m->task, sizeof(m->task), r->task);
	fm->size = (struct machine_size){ r->memory_mb, r->cpu_percent, r->disk_mb };
	if (r->image_name[0])
		snprintf(m->image, sizeof(m->image), "%s:%s", r->image_name, r->image_version);
	m->endpoint.kind = ENDPOINT_UNIX;
	snprintf(m->endpoint.address, sizeof(m->endpoint.address), "/fake/%s/display.sock", m->desktop);
}

static int create_locked(struct fake *f, const struct machine_request *r, struct machine *ret,
	struct pst_err *err)
{
	struct fake_machine *fm = fake_find(f, r->desktop);

	if (fake_injected(f, err) < 0)
		return err->code;
	if (fm && fm->m.state == MACHINE_RUNNING && strcmp(fm->m.task, r->task) != 0)
		return pst_err_set(err, PST_ECONFLICT, "desktop %s already runs", r->desktop);
	if (r->host[0] && host_check(f, r->host, err) < 0)
		return err->code;
	if (strcmp(r->network, "host") != 0 && strcmp(r->network, "none") != 0 && strcmp(r->network, FAKE_NETWORK) != 0)
		return pst_err_set(err, PST_EINVAL, "there is no network \"%s\"; there is: " FAKE_NETWORK, r->network);
	if (!fm)
		fm = find_free(f);
	if (!fm)
		return pst_err_set(err, PST_ELIMIT, "all %d places are taken", FAKE_MACHINES_MAX);
	machine_fill(f, fm, r);
	pst_strlcpy(fm->m.host, sizeof(fm->m.host), r->host[0] ? r->host : fake_names[0]);
	*ret = fm->m;
	return 0;
}

static int fake_create(struct driver *d, const struct machine_request *r, struct machine *ret,
	struct pst_err *err)
{
	struct fake *f = fake_of(d);
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = create_locked(f, r, ret, err);
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int fake_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	struct fake_machine *fm;
	int rc;

	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, desktop);
	rc = fake_injected(f, err);
	if (rc == 0 && fm)
		memset(fm, 0, sizeof(*fm));
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int fake_restart(struct driver *d, const struct machine_request *r, bool refresh,
	struct machine *ret, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	struct fake_machine *fm;
	int rc;

	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, r->desktop);
	rc = fake_injected(f, err);
	if (rc == 0 && !fm) {
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", r->desktop);
	} else if (rc == 0) {
		machine_fill(f, fm, r);
		if (refresh)
			fm->personal[0] = '\0';
		*ret = fm->m;
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int fake_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = fake_injected(f, err);
	for (size_t i = 0; i < FAKE_MACHINES_MAX && rc == 0; i++) {
		if (f->machines[i].used && !machine_is_silent(f, &f->machines[i]))
			visit(&f->machines[i].m, arg);
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(fake_names) && rc == 0; i++) {
		struct machine away = { .state = MACHINE_UNKNOWN, .reason = "it does not answer" };

		pst_strlcpy(away.host, sizeof(away.host), fake_names[i]);
		if (f->silent[i])
			visit(&away, arg);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int fake_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = fake_injected(f, err);
	pthread_mutex_unlock(&f->lock);
	ret->machines = FAKE_MACHINES_MAX;
	ret->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE | DRIVER_GROW | DRIVER_MIGRATE | DRIVER_CONSOLE | DRIVER_PERSONAL;
	ret->healthy = rc == 0;
	return rc;
}

static void event_deliver(void *arg)
{
	struct fake_event *e = arg;

	e->ended(e->desktop, e->reason, e->arg);
	free(e);
}

static void event_post(struct fake *f, struct fake_machine *fm)
{
	struct fake_event *e = pst_zalloc(1, sizeof(*e));

	if (!e || !fm->ended) {
		free(e);
		return;
	}
	e->ended = fm->ended;
	e->arg = fm->ended_arg;
	pst_strlcpy(e->desktop, sizeof(e->desktop), fm->m.desktop);
	pst_strlcpy(e->reason, sizeof(e->reason), fm->m.reason);
	fm->ended = NULL;
	if (pst_defer(f->loop, event_deliver, e) < 0)
		free(e);
}

static int fake_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err)
{
	struct fake *f = fake_of(d);
	struct fake_machine *fm;
	int rc = 0;

	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, desktop);
	if (fm) {
		fm->ended = ended;
		fm->ended_arg = arg;
		if (fm->m.state != MACHINE_RUNNING)
			event_post(f, fm);
	} else {
		rc = pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", desktop);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

struct fake_machine *fake_take(struct fake *f, const char *desktop, struct pst_err *err)
{
	struct fake_machine *fm;

	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, desktop);
	if (fake_injected(f, err) == 0 && fm)
		return fm;
	pthread_mutex_unlock(&f->lock);
	if (!fm)
		pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", desktop);
	return NULL;
}

static int fake_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);

	if (!fm)
		return err->code;
	fm->m.state = wish == POWER_START ? MACHINE_RUNNING : MACHINE_STOPPED;
	pthread_mutex_unlock(&fake_of(d)->lock);
	return 0;
}

static char *snapshot_find(struct fake_machine *fm, const char *name)
{
	for (size_t i = 0; i < FAKE_SNAPSHOTS_MAX; i++) {
		if (strcmp(fm->snapshots[i], name) == 0)
			return fm->snapshots[i];
	}
	return NULL;
}

static int fake_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	char *place;
	int rc = 0;

	if (!fm)
		return err->code;
	place = snapshot_find(fm, name);
	place = place ? place : snapshot_find(fm, "");
	if (place)
		pst_strlcpy(place, MACHINE_NAME_SIZE, name);
	else
		rc = pst_err_set(err, PST_ELIMIT, "desktop %s has %d snapshots already", desktop, FAKE_SNAPSHOTS_MAX);
	pthread_mutex_unlock(&fake_of(d)->lock);
	return rc;
}

static int fake_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	int rc = 0;

	if (!fm)
		return err->code;
	if (snapshot_find(fm, name))
		fm->m.state = MACHINE_RUNNING;
	else
		rc = pst_err_set(err, PST_ENOTFOUND, "desktop %s has no snapshot \"%s\"", desktop, name);
	pthread_mutex_unlock(&fake_of(d)->lock);
	return rc;
}

static int fake_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	char *place;

	if (!fm)
		return err->code;
	place = snapshot_find(fm, name);
	if (place)
		place[0] = '\0';
	pthread_mutex_unlock(&fake_of(d)->lock);
	return 0;
}

static int fake_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	int rc = 0;

	if (!fm)
		return err->code;
	if (size->disk_mb && size->disk_mb < fm->size.disk_mb) {
		rc = pst_err_set(err, PST_EINVAL, "a disk of %u MB cannot become one of %u MB", fm->size.disk_mb, size->disk_mb);
	} else {
		fm->size.memory_mb = size->memory_mb ? size->memory_mb : fm->size.memory_mb;
		fm->size.cpu_percent = size->cpu_percent ? size->cpu_percent : fm->size.cpu_percent;
		fm->size.disk_mb = size->disk_mb ? size->disk_mb : fm->size.disk_mb;
	}
	pthread_mutex_unlock(&fake_of(d)->lock);
	return rc;
}

static int fake_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	int rc = 0;

	if (!fm)
		return err->code;
	rc = host_check(fake_of(d), host, err);
	if (rc == 0)
		pst_strlcpy(fm->m.host, sizeof(fm->m.host), host);
	pthread_mutex_unlock(&fake_of(d)->lock);
	return rc;
}

static int fake_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);

	if (!fm)
		return err->code;
	ret->at = (struct machine_endpoint){ .kind = ENDPOINT_RFB };
	snprintf(ret->at.address, sizeof(ret->at.address), "/fake/%s/console.sock", desktop);
	pthread_mutex_unlock(&fake_of(d)->lock);
	return 0;
}

static int fake_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	int rc;

	pthread_mutex_lock(&f->lock);
	rc = f->fails_hosts ? pst_err_set(err, PST_EIO, "the test wants no hosts") : 0;
	for (size_t i = 0; i < PST_ARRAY_LEN(fake_names) && rc == 0; i++) {
		struct driver_host h = { .processors = 8, .memory_mb = FAKE_MEMORY_MB, .free_mb = FAKE_MEMORY_MB, .usable = !f->silent[i] };

		pst_strlcpy(h.name, sizeof(h.name), fake_names[i]);
		for (size_t k = 0; k < FAKE_MACHINES_MAX; k++) {
			const struct fake_machine *fm = &f->machines[k];

			if (!fm->used || strcmp(fm->m.host, h.name) != 0)
				continue;
			h.machines++;
			h.free_mb -= PST_MIN(h.free_mb, fm->size.memory_mb);
		}
		if (!h.usable)
			pst_strlcpy(h.reason, sizeof(h.reason), "it does not answer");
		visit(&h, arg);
	}
	pthread_mutex_unlock(&f->lock);
	return rc;
}

static int fake_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	static const struct driver_network office = { .name = FAKE_NETWORK, .kind = "isolated", .about = "of the tests" };

	visit(&office, arg);
	return 0;
}

static void fake_close(struct driver *d)
{
	struct fake *f = fake_of(d);

	pthread_mutex_destroy(&f->lock);
	free(f);
}

static struct driver *fake_open(const struct driver_params *p, struct pst_err *err)
{
	struct fake *f = pst_zalloc(1, sizeof(*f));

	if (!f) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	pthread_mutex_init(&f->lock, NULL);
	f->loop = p->loop;
	return &f->base;
}

int fake_kill(struct driver *d, const char *desktop, const char *reason)
{
	struct fake *f = fake_of(d);
	struct fake_machine *fm;

	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, desktop);
	if (fm) {
		fm->m.state = MACHINE_FAILED;
		pst_strlcpy(fm->m.reason, sizeof(fm->m.reason), reason);
		event_post(f, fm);
	}
	pthread_mutex_unlock(&f->lock);
	return fm ? 0 : PST_ENOTFOUND;
}

void fake_host_silent(struct driver *d, const char *host, bool is_silent)
{
	struct fake *f = fake_of(d);
	int i = host_index(host);

	PRE(i >= 0);
	pthread_mutex_lock(&f->lock);
	f->silent[i] = is_silent;
	pthread_mutex_unlock(&f->lock);
}

void fake_hosts_fail(struct driver *d, bool fails)
{
	struct fake *f = fake_of(d);

	pthread_mutex_lock(&f->lock);
	f->fails_hosts = fails;
	pthread_mutex_unlock(&f->lock);
}

void fake_fail_next(struct driver *d, unsigned n, int code)
{
	struct fake *f = fake_of(d);

	pthread_mutex_lock(&f->lock);
	f->fail_n = n;
	f->fail_code = code;
	pthread_mutex_unlock(&f->lock);
}

const struct driver_type driver_fake = {
	.kind = "fake",
	.open = fake_open,
	.create = fake_create,
	.destroy = fake_destroy,
	.restart = fake_restart,
	.list = fake_list,
	.capacity = fake_capacity,
	.watch = fake_watch,
	.close = fake_close,
	.power = fake_power,
	.snapshot_take = fake_snapshot_take,
	.snapshot_revert = fake_snapshot_revert,
	.snapshot_drop = fake_snapshot_drop,
	.resize = fake_resize,
	.migrate = fake_migrate,
	.console = fake_console,
	.hosts = fake_hosts,
	.networks = fake_networks,
	.personal_attach = fake_personal_attach,
	.personal_detach = fake_personal_detach,
	.personal_remove = fake_personal_remove,
};
