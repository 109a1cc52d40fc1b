/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrappers around a driver's table: checks that hold for every implementation. */
#include "broker/hypervisor/driver.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/answering.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <string.h>

const char *machine_state_name(enum machine_state state)
{
	static const char *const names[] = { "running", "stopped", "failed", "unknown" };

	PRE((size_t)state < sizeof(names) / sizeof(names[0]));
	return names[state];
}

/* Uuids become names of directories, so nothing else may pass. */
static int uuid_check(const char *text, const char *what, struct pst_err *err)
{
	struct pst_uuid u;

	if (pst_uuid_parse(text, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "%s: \"%.40s\" is not a UUID", what, text);
	return 0;
}

static int answer(struct driver *d, int rc, const struct machine *m, struct machine *ret,
	struct pst_err *err)
{
	if (rc < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	*ret = *m;
	return 0;
}

struct driver *driver_open(const struct driver_type *type, const struct driver_params *p,
	struct pst_err *err)
{
	struct driver *d;

	if (!pst_name_valid(p->name, MACHINE_NAME_SIZE - 1)) {
		pst_err_set(err, PST_EINVAL, "a provider's name must have 1 to %d printable characters",
			MACHINE_NAME_SIZE - 1);
		return NULL;
	}
	d = type->open(p, err);
	if (!d) {
		pst_err_wrap(err, "provider %s", p->name);
		return NULL;
	}
	d->type = type;
	calls_init(&d->waits);
	pst_strlcpy(d->name, sizeof(d->name), p->name);
	return d;
}

/* Nothing tells when a machine without an agent can be used, but its server itself. */
static int server_await(struct driver *d, const char *desktop, const struct machine_endpoint *e, struct pst_err *err)
{
	struct call call;
	int rc;

	if (d->rdp_wait_ms == 0 || e->kind != ENDPOINT_RDP || e->has_agent)
		return 0;
	if (call_begin(&d->waits, &call, desktop, d->rdp_wait_ms, err) < 0)
		return err->code;
	rc = answering_await(e, call.end_ms, call.cancel_fd, err);
	call_end(&d->waits, &call);
	return rc < 0 ? pst_err_wrap(err, "provider %s", d->name) : 0;
}

/* What names a host or a network of a provider that has none is a mistake, not a wish. */
static int place_check(struct driver *d, const struct machine_request *r, struct pst_err *err)
{
	bool is_own = r->network[0] && strcmp(r->network, "host") != 0 && strcmp(r->network, "none") != 0;

	if (uuid_check(r->desktop, "desktop", err) < 0 || uuid_check(r->task, "task", err) < 0)
		return err->code;
	if (request_speaks_rdp(r) && !d->type->way)
		return pst_err_set(err, PST_EUNSUPPORTED, "provider %s (%s) makes no machines that are shown by RDP, as those of Windows are", d->name, d->type->kind);
	if (r->host[0] && !d->type->hosts)
		return pst_err_set(err, PST_EINVAL, "provider %s (%s) is one host: \"%s\" cannot be chosen", d->name, d->type->kind, r->host);
	if (is_own && !d->type->networks)
		return pst_err_set(err, PST_EINVAL, "provider %s (%s) has no network \"%s\": give the pool \"host\" or \"none\"", d->name,
			d->type->kind, r->network);
	return 0;
}

int driver_create(struct driver *d, const struct machine_request *r, struct machine *ret,
	struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct machine m;

	if (place_check(d, r, err) < 0)
		return err->code;
	memset(&m, 0, sizeof(m));
	if (answer(d, d->type->create(d, r, &m, err), &m, ret, err) < 0)
		return err->code;
	if (server_await(d, r->desktop, &m.endpoint, err) == 0)
		return 0;
	/* An image that never answers leaves no machine. */
	if (err->code != PST_ECLOSED)
		(void)d->type->destroy(d, r->desktop, &ignored);
	return err->code;
}

int driver_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	if (uuid_check(desktop, "desktop", err) < 0)
		return err->code;
	if (d->type->destroy(d, desktop, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_restart(struct driver *d, const struct machine_request *r, bool refresh,
	struct machine *ret, struct pst_err *err)
{
	struct machine m;

	if (place_check(d, r, err) < 0)
		return err->code;
	memset(&m, 0, sizeof(m));
	if (answer(d, d->type->restart(d, r, refresh, &m, err), &m, ret, err) < 0)
		return err->code;
	return server_await(d, r->desktop, &m.endpoint, err);
}

int driver_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	if (d->type->list(d, visit, arg, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (d->type->capacity(d, ret, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err)
{
	if (uuid_check(desktop, "desktop", err) < 0)
		return err->code;
	if (d->type->watch(d, desktop, ended, arg, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

/* Snapshots and hosts are named in paths, options and XML. */
static int name_check(const char *name, const char *what, struct pst_err *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (len == 0 || len >= MACHINE_NAME_SIZE || name[len] || name[0] == '.' || name[0] == '-')
		return pst_err_set(err, PST_EINVAL, "%s: \"%.80s\" must have 1 to %d letters, digits, '.', '_' and '-', and begin with a letter or digit",
			what, name, MACHINE_NAME_SIZE - 1);
	return 0;
}

static int slot_check(struct driver *d, bool has, const char *what, const char *desktop, struct pst_err *err)
{
	if (!has)
		return pst_err_set(err, PST_EUNSUPPORTED, "provider %s (%s) does not carry \"%s\"", d->name, d->type->kind, what);
	return uuid_check(desktop, "desktop", err);
}

static int done(struct driver *d, int rc, struct pst_err *err)
{
	return rc < 0 ? pst_err_wrap(err, "provider %s", d->name) : 0;
}

int driver_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	struct machine_endpoint e = { .kind = ENDPOINT_NONE };
	int rc = slot_check(d, d->type->power, "power", desktop, err);

	if (rc < 0 || done(d, d->type->power(d, desktop, wish, err), err) < 0)
		return err->code;
	/* Where it is reached is known by its way. */
	if (wish != POWER_START || d->rdp_wait_ms == 0 || !d->type->way)
		return 0;
	if (done(d, d->type->way(d, desktop, "", &e, NULL, err), err) < 0)
		return err->code;
	return server_await(d, desktop, &e, err);
}

typedef int (*snapshot_slot)(struct driver *d, const char *desktop, const char *name, struct pst_err *err);

static int snapshot_call(struct driver *d, snapshot_slot slot, const char *desktop, const char *name, struct pst_err *err)
{
	if (slot_check(d, slot, "snapshot", desktop, err) < 0 || name_check(name, "snapshot", err) < 0)
		return err->code;
	return done(d, slot(d, desktop, name, err), err);
}

int driver_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return snapshot_call(d, d->type->snapshot_take, desktop, name, err);
}

int driver_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return snapshot_call(d, d->type->snapshot_revert, desktop, name, err);
}

int driver_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err)
{
	return snapshot_call(d, d->type->snapshot_drop, desktop, name, err);
}

int driver_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err)
{
	int rc = slot_check(d, d->type->resize, "resize", desktop, err);

	return rc < 0 ? rc : done(d, d->type->resize(d, desktop, size, err), err);
}

int driver_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err)
{
	if (slot_check(d, d->type->migrate, "migrate", desktop, err) < 0 || name_check(host, "host", err) < 0)
		return err->code;
	return done(d, d->type->migrate(d, desktop, host, err), err);
}

int driver_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct machine_screen found = { .fd = -1 };
	int rc = slot_check(d, d->type->console, "console", desktop, err);

	if (rc < 0 || done(d, d->type->console(d, desktop, is_shared, &found, err), err) < 0)
		return err->code;
	*ret = found;
	return 0;
}

int driver_way(struct driver *d, const char *desktop, const char *pin, struct machine_screen *ret, json_t **ret_account, struct pst_err *err)
{
	struct machine_screen found = { .fd = -1 };
	json_t *account = NULL;

	*ret_account = NULL;
	if (!d->type->way)
		return driver_console(d, desktop, true, ret, err);
	if (done(d, d->type->way(d, desktop, pin, &found.at, &account, err), err) < 0)
		return err->code;
	*ret = found;
	*ret_account = account;
	return 0;
}

int driver_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err)
{
	return d->type->hosts ? done(d, d->type->hosts(d, visit, arg, err), err) : 0;
}

int driver_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	return d->type->networks ? done(d, d->type->networks(d, visit, arg, err), err) : 0;
}

/* Owner and disk become folders. */
static int personal_check(const struct machine_personal *p, struct pst_err *err)
{
	return name_check(p->owner, "owner", err) < 0 ? err->code : name_check(p->name, "personal disk", err);
}

int driver_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	if (slot_check(d, d->type->personal_attach, "personal", desktop, err) < 0 || personal_check(p, err) < 0)
		return err->code;
	if (p->size_mb == 0)
		return pst_err_set(err, PST_EINVAL, "a personal disk has at least 1 MB");
	return done(d, d->type->personal_attach(d, desktop, p, err), err);
}

int driver_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	if (slot_check(d, d->type->personal_detach, "personal", desktop, err) < 0 || personal_check(p, err) < 0)
		return err->code;
	return done(d, d->type->personal_detach(d, desktop, p, err), err);
}

int driver_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	struct machine_personal named = *p;

	if (!d->type->personal_remove)
		return pst_err_set(err, PST_EUNSUPPORTED, "provider %s (%s) does not carry \"personal\"", d->name, d->type->kind);
	if (personal_check(p, err) < 0)
		return err->code;
	if (!named.reason[0])
		pst_strlcpy(named.reason, sizeof(named.reason), "personal disk removed");
	return done(d, d->type->personal_remove(d, &named, keep_ms, err), err);
}

int driver_disk(struct driver *d, const char *desktop, struct driver_disk *ret, struct pst_err *err)
{
	struct driver_disk found;
	int rc = slot_check(d, d->type->disk, "backup", desktop, err);

	memset(&found, 0, sizeof(found));
	if (rc < 0 || done(d, d->type->disk(d, desktop, &found, err), err) < 0)
		return err->code;
	*ret = found;
	return 0;
}

int driver_disk_ask(struct driver *d, const char *desktop, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	int rc = slot_check(d, d->type->disk_ask, "backup", desktop, err);

	return rc < 0 ? rc : done(d, d->type->disk_ask(d, desktop, commands, fd, ret, err), err);
}

int driver_disk_replace(struct driver *d, const char *desktop, const char *file, struct pst_err *err)
{
	int rc = slot_check(d, d->type->disk_replace, "backup", desktop, err);

	return rc < 0 ? rc : done(d, d->type->disk_replace(d, desktop, file, err), err);
}

int driver_disk_room(struct driver *d, const char *desktop, const char *base, uint64_t bytes, struct driver_room *ret, struct pst_err *err)
{
	struct driver_room room;
	int rc = slot_check(d, d->type->disk_room, "backup", desktop, err);

	memset(&room, 0, sizeof(room));
	if (rc < 0 || done(d, d->type->disk_room(d, desktop, base, bytes, &room, err), err) < 0)
		return err->code;
	*ret = room;
	return 0;
}

int driver_files(struct driver *d, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err)
{
	int rc = slot_check(d, d->type->files, "capture", desktop, err);

	return rc < 0 ? rc : done(d, d->type->files(d, desktop, fd, max, go_on, arg, err), err);
}

void driver_cancel(struct driver *d, const char *desktop)
{
	calls_cancel(&d->waits, desktop);
	if (d->type->cancel)
		d->type->cancel(d, desktop);
}

const char *driver_can_text(unsigned can, char *out, size_t size)
{
	static const char *const names[] = { "power", "suspend", "snapshot", "resize", "grow", "migrate", "linked_clone", "instant_clone", "console",
		"backup", "personal", "personal_size" };
	size_t at = 0;

	pst_strlcpy(out, size, "");
	for (size_t i = 0; i < PST_ARRAY_LEN(names) && at < size; i++) {
		if (can & 1u << i && names[i])
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "," : "", names[i]);
	}
	return out;
}

void driver_close(struct driver *d)
{
	if (!d)
		return;
	calls_finish(&d->waits);
	d->type->close(d);
}

bool driver_is_retryable(int code)
{
	switch (code) {
	case PST_EINVAL:
	case PST_ENOTFOUND:
	case PST_ECONFLICT:
	case PST_EUNSUPPORTED:
	case PST_EDENIED:
		return false;
	default:
		return true;
	}
}
