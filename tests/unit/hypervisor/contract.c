/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contract of driver.h, sentence by sentence. */
#include "tests/unit/hypervisor/contract.h"

#include "base/mem.h"
#include "base/text.h"
#include "tests/unit/fine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool contract_guestless;

struct sighting {
	char desktop[PST_UUID_SIZE];
	struct machine machine;
	unsigned n;
};

struct end {
	char desktop[PST_UUID_SIZE];
	char reason[MACHINE_REASON_SIZE];
	unsigned n;
};

static void uuid_new(char out[PST_UUID_SIZE])
{
	struct pst_uuid u = pst_uuid_make();

	pst_uuid_text(&u, out);
}

void contract_request(struct machine_request *r, const char *image_path)
{
	memset(r, 0, sizeof(*r));
	uuid_new(r->task);
	uuid_new(r->desktop);
	pst_strlcpy(r->image_name, sizeof(r->image_name), "demo");
	pst_strlcpy(r->image_version, sizeof(r->image_version), "1");
	if (strncmp(image_path, REQUEST_REF, strlen(REQUEST_REF)) == 0) {
		pst_strlcpy(r->image_base, sizeof(r->image_base), image_path);
	} else if (pst_str_ends(image_path, ".qcow2")) {
		pst_strlcpy(r->image_base, sizeof(r->image_base), image_path);
		pst_strlcpy(r->image_path, sizeof(r->image_path), "/images/demo/1");
	} else {
		pst_strlcpy(r->image_base, sizeof(r->image_base), "host");
		pst_strlcpy(r->image_path, sizeof(r->image_path), image_path);
	}
	pst_strlcpy(r->hostname, sizeof(r->hostname), "test");
	pst_strlcpy(r->locale, sizeof(r->locale), "en_US");
	pst_strlcpy(r->layout, sizeof(r->layout), "us");
	pst_strlcpy(r->network, sizeof(r->network), "none");
	pst_strlcpy(r->enrol_token, sizeof(r->enrol_token), "token");
	r->memory_mb = 256;
	r->cpu_percent = 100;
	r->pids = 100;
	r->max_width = 1280;
	r->max_height = 800;
}

static void see(const struct machine *m, void *arg)
{
	struct sighting *s = arg;

	if (strcmp(m->desktop, s->desktop) == 0) {
		s->machine = *m;
		s->n++;
	}
}

static struct sighting look(struct driver *d, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct sighting s = { .n = 0 };

	pst_strlcpy(s.desktop, sizeof(s.desktop), desktop);
	FINE(driver_list(d, see, &s, &err));
	return s;
}

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	struct end *e = arg;

	pst_strlcpy(e->desktop, sizeof(e->desktop), desktop);
	pst_strlcpy(e->reason, sizeof(e->reason), reason);
	e->n++;
}

static void create_is_idempotent(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine a, b;

	contract_request(&r, image);
	FINE(driver_create(d, &r, &a, &err));
	cr_assert_str_eq(a.desktop, r.desktop);
	cr_assert_str_eq(a.task, r.task);
	cr_assert_str_eq(a.image, "demo:1");
	cr_assert_neq(a.endpoint.kind, ENDPOINT_NONE);
	FINE(driver_create(d, &r, &b, &err));
	cr_assert_eq(b.uid, a.uid);
	cr_assert_str_eq(b.endpoint.address, a.endpoint.address);
	struct sighting s = look(d, r.desktop);
	cr_assert_eq(s.n, 1);
	cr_assert_eq(s.machine.state, MACHINE_RUNNING);
	cr_assert_str_eq(s.machine.task, r.task);
	uuid_new(r.task);
	cr_assert_eq(driver_create(d, &r, &b, &err), PST_ECONFLICT);
	FINE(driver_destroy(d, r.desktop, &err));
}

static void destroy_always_succeeds(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	contract_request(&r, image);
	FINE(driver_destroy(d, r.desktop, &err));
	FINE(driver_create(d, &r, &m, &err));
	for (int i = 0; i < 2; i++)
		FINE(driver_destroy(d, r.desktop, &err));
	cr_assert_eq(look(d, r.desktop).n, 0);
	cr_assert_eq(driver_restart(d, &r, false, &m, &err), PST_ENOTFOUND);
	cr_assert_eq(driver_destroy(d, "../../etc", &err), PST_EINVAL);
	cr_assert_eq(driver_destroy(d, "", &err), PST_EINVAL);
}

static void restart_keeps_and_refreshes(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r, again;
	struct machine a, b;

	contract_request(&r, image);
	FINE(driver_create(d, &r, &a, &err));
	memset(&again, 0, sizeof(again));
	pst_strlcpy(again.desktop, sizeof(again.desktop), r.desktop);
	for (int refresh = 0; refresh < 2; refresh++) {
		uuid_new(again.task);
		FINE(driver_restart(d, &again, refresh == 1, &b, &err));
		cr_assert_str_eq(b.task, again.task);
		cr_assert_str_eq(b.image, a.image, "what the request leaves open stays");
		cr_assert_str_eq(b.endpoint.address, a.endpoint.address);
		cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_RUNNING);
	}
	r.image_version[0]++;
	uuid_new(r.task);
	FINE(driver_restart(d, &r, true, &b, &err));
	cr_assert_str_neq(b.image, a.image, "a refresh takes the version that it is given");
	cr_assert_str_eq(look(d, r.desktop).machine.image, b.image);
	FINE(driver_destroy(d, r.desktop, &err));
}

static void ends_are_told(struct driver *d, uv_loop_t *loop, const char *image,
	void (*die)(struct driver *d, const char *desktop))
{
	struct pst_err err = PST_ERR_INIT;
	struct end first = { .n = 0 }, late = { .n = 0 };
	struct machine_request r;
	struct machine m;

	contract_request(&r, image);
	cr_assert_eq(driver_watch(d, r.desktop, on_ended, &first, &err), PST_ENOTFOUND);
	FINE(driver_create(d, &r, &m, &err));
	FINE(driver_watch(d, r.desktop, on_ended, &first, &err));
	die(d, r.desktop);
	while (first.n == 0)
		uv_run(loop, UV_RUN_ONCE);
	cr_assert_str_eq(first.desktop, r.desktop);
	cr_assert_neq(first.reason[0], '\0', "an end has a reason");
	cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_FAILED);
	FINE(driver_watch(d, r.desktop, on_ended, &late, &err));
	while (late.n == 0)
		uv_run(loop, UV_RUN_ONCE);
	cr_assert_eq(first.n + late.n, 2);
	uuid_new(r.task);
	FINE(driver_create(d, &r, &m, &err));
	FINE(driver_destroy(d, r.desktop, &err));
}

static const char *const nobody = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";

static void power_moves(struct driver *d, const char *image, unsigned can)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	if (!(can & DRIVER_POWER)) {
		cr_assert_eq(driver_power(d, nobody, POWER_STOP, &err), PST_EUNSUPPORTED);
		return;
	}
	contract_request(&r, image);
	cr_assert_eq(driver_power(d, r.desktop, POWER_START, &err), PST_ENOTFOUND);
	FINE(driver_create(d, &r, &m, &err));
	for (int i = 0; i < 2; i++) {
		FINE(driver_power(d, r.desktop, POWER_OFF, &err));
		cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_STOPPED);
	}
	for (int i = 0; i < 2; i++) {
		FINE(driver_power(d, r.desktop, POWER_START, &err));
		cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_RUNNING);
	}
	if (can & DRIVER_SUSPEND) {
		FINE(driver_power(d, r.desktop, POWER_SUSPEND, &err));
		cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_STOPPED);
		FINE(driver_power(d, r.desktop, POWER_START, &err));
		cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_RUNNING);
	}
	FINE(driver_destroy(d, r.desktop, &err));
	cr_assert_eq(driver_power(d, r.desktop, POWER_START, &err), PST_ENOTFOUND, "what is destroyed does not come back");
}

static void snapshots_are_taken_and_reverted(struct driver *d, const char *image, unsigned can)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	if (!(can & DRIVER_SNAPSHOT)) {
		cr_assert_eq(driver_snapshot_take(d, nobody, "a", &err), PST_EUNSUPPORTED);
		return;
	}
	contract_request(&r, image);
	cr_assert_eq(driver_snapshot_take(d, r.desktop, "a", &err), PST_ENOTFOUND);
	FINE(driver_create(d, &r, &m, &err));
	cr_assert_eq(driver_snapshot_take(d, r.desktop, "../a", &err), PST_EINVAL);
	for (int i = 0; i < 2; i++)
		FINE(driver_snapshot_take(d, r.desktop, "a", &err));
	cr_assert_eq(driver_snapshot_revert(d, r.desktop, "b", &err), PST_ENOTFOUND);
	FINE(driver_snapshot_revert(d, r.desktop, "a", &err));
	cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_RUNNING, "it ran when it was taken");
	for (int i = 0; i < 2; i++)
		FINE(driver_snapshot_drop(d, r.desktop, "a", &err));
	cr_assert_eq(driver_snapshot_revert(d, r.desktop, "a", &err), PST_ENOTFOUND);
	FINE(driver_snapshot_take(d, r.desktop, "last", &err));
	FINE(driver_destroy(d, r.desktop, &err));
	cr_assert_eq(look(d, r.desktop).n, 0);
}

static void sizes_grow(struct driver *d, const char *image, unsigned can)
{
	struct machine_size smaller = { .disk_mb = 64 }, larger = { .disk_mb = 4096 };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	if (!(can & DRIVER_GROW))
		return;
	contract_request(&r, image);
	r.disk_mb = 2048;
	FINE(driver_create(d, &r, &m, &err));
	cr_assert_eq(driver_resize(d, r.desktop, &smaller, &err), PST_EINVAL);
	for (int i = 0; i < 2; i++)
		FINE(driver_resize(d, r.desktop, &larger, &err));
	cr_assert_eq(look(d, r.desktop).machine.state, MACHINE_RUNNING);
	FINE(driver_destroy(d, r.desktop, &err));
}

static void screens_and_hosts_are_checked(struct driver *d, const char *image, unsigned can)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_screen screen;
	struct machine_request r;
	struct machine m;

	contract_request(&r, image);
	FINE(driver_create(d, &r, &m, &err));
	cr_assert_eq(driver_migrate(d, r.desktop, "nowhere", &err), can & DRIVER_MIGRATE ? PST_ENOTFOUND : PST_EUNSUPPORTED);
	cr_assert_eq(driver_console(d, r.desktop, false, &screen, &err), can & DRIVER_CONSOLE ? 0 : PST_EUNSUPPORTED, "%s", err.text);
	if (can & DRIVER_CONSOLE) {
		cr_assert_neq(screen.at.kind, ENDPOINT_NONE);
		if (screen.fd >= 0)
			close(screen.fd);
		cr_assert_eq(driver_console(d, nobody, false, &screen, &err), PST_ENOTFOUND);
	}
	FINE(driver_destroy(d, r.desktop, &err));
}

static void made(struct driver *d, const char *image, char desktop[PST_UUID_SIZE])
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	contract_request(&r, image);
	FINE(driver_create(d, &r, &m, &err));
	pst_strlcpy(desktop, PST_UUID_SIZE, r.desktop);
}

/* A machine without a guest has nobody who lets go of a disk while it runs. */
static void personal_let_go(struct driver *d, const char *desktop, const struct machine_personal *p)
{
	struct pst_err err = PST_ERR_INIT;

	if (contract_guestless)
		FINE(driver_power(d, desktop, POWER_OFF, &err));
	for (int i = 0; i < 2; i++)
		FINE(driver_personal_detach(d, desktop, p, &err));
	if (contract_guestless)
		FINE(driver_power(d, desktop, POWER_START, &err));
}

/* One desktop has it at a time; a destroy and a refresh take it away. */
static void personal_disks_move(struct driver *d, const char *image, unsigned can)
{
	struct machine_personal p = { .name = "files", .size_mb = 64 }, other;
	char one[PST_UUID_SIZE], two[PST_UUID_SIZE];
	struct machine_request again = { .memory_mb = 0 };
	struct pst_err err = PST_ERR_INIT;
	struct machine m;

	uuid_new(p.owner);
	if (!(can & DRIVER_PERSONAL)) {
		cr_assert_eq(driver_personal_attach(d, nobody, &p, &err), PST_EUNSUPPORTED);
		cr_assert_eq(driver_personal_remove(d, &p, 0, &err), PST_EUNSUPPORTED);
		return;
	}
	cr_assert_eq(driver_personal_attach(d, nobody, &p, &err), PST_ENOTFOUND, "%s", err.text);
	FINE(driver_personal_detach(d, nobody, &p, &err));
	made(d, image, one);
	made(d, image, two);
	other = p;
	pst_strlcpy(other.owner, sizeof(other.owner), "../x");
	cr_assert_eq(driver_personal_attach(d, one, &other, &err), PST_EINVAL);
	uuid_new(other.owner);
	for (int i = 0; i < 2; i++)
		FINE(driver_personal_attach(d, one, &p, &err));
	cr_assert_eq(driver_personal_attach(d, two, &p, &err), PST_EBUSY);
	cr_assert_not_null(strstr(err.text, one), "%s", err.text);
	cr_assert_eq(driver_personal_attach(d, one, &other, &err), PST_EBUSY, "a desktop has one");
	cr_assert_eq(driver_personal_remove(d, &p, 0, &err), PST_EBUSY);
	FINE(driver_personal_detach(d, two, &p, &err));
	cr_assert_eq(driver_personal_attach(d, two, &p, &err), PST_EBUSY);
	pst_strlcpy(again.desktop, sizeof(again.desktop), one);
	uuid_new(again.task);
	FINE(driver_restart(d, &again, false, &m, &err));
	cr_assert_eq(driver_personal_attach(d, two, &p, &err), PST_EBUSY, "a restart keeps it");
	FINE(driver_personal_attach(d, one, &p, &err));
	personal_let_go(d, one, &p);
	FINE(driver_personal_attach(d, two, &p, &err));
	FINE(driver_destroy(d, two, &err));
	FINE(driver_personal_attach(d, one, &p, &err));
	uuid_new(again.task);
	FINE(driver_restart(d, &again, true, &m, &err));
	for (int i = 0; i < 2; i++)
		FINE(driver_personal_remove(d, &p, 1000, &err));
	FINE(driver_personal_remove(d, &other, 0, &err));
	FINE(driver_destroy(d, one, &err));
}

struct host_sight {
	struct driver_host hosts[8];
	size_t n;
};

static void host_see(const struct driver_host *h, void *arg)
{
	struct host_sight *s = arg;

	cr_assert(h->usable || h->reason[0], "%s: no reason", h->name);
	cr_assert(h->memory_mb >= h->free_mb, "%s: %u MB of %u are free", h->name, h->free_mb, h->memory_mb);
	if (s->n < PST_ARRAY_LEN(s->hosts))
		s->hosts[s->n++] = *h;
}

static void network_see(const struct driver_network *n, void *arg)
{
	cr_assert(n->name[0] && n->kind[0]);
	cr_assert_str_neq(n->name, "host");
	cr_assert_str_neq(n->name, "none");
	(*(size_t *)arg)++;
}

/* A provider of several makes a machine on each that is named, says where it is, and knows no other. */
static void hosts_are_chosen(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct host_sight s = { .n = 0 };
	struct machine_request r;
	struct machine m;

	FINE(driver_hosts(d, host_see, &s, &err));
	contract_request(&r, image);
	pst_strlcpy(r.host, sizeof(r.host), "nowhere");
	cr_assert_eq(driver_create(d, &r, &m, &err), s.n ? PST_ENOTFOUND : PST_EINVAL, "%s", err.text);
	for (size_t i = 0; i < s.n; i++) {
		contract_request(&r, image);
		pst_strlcpy(r.host, sizeof(r.host), s.hosts[i].name);
		FINE(driver_create(d, &r, &m, &err));
		cr_assert_str_eq(m.host, s.hosts[i].name);
		cr_assert_str_eq(look(d, r.desktop).machine.host, s.hosts[i].name);
		FINE(driver_destroy(d, r.desktop, &err));
	}
}

static void networks_are_named(struct driver *d, const char *image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;
	size_t n = 0;

	FINE(driver_networks(d, network_see, &n, &err));
	contract_request(&r, image);
	pst_strlcpy(r.network, sizeof(r.network), "nowhere");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EINVAL, "%s", err.text);
	cr_assert_eq(look(d, r.desktop).n, 0, "nothing is made of what is refused");
}

/* By name, so that a slow machine can be asked for one at a time. */
static const struct {
	const char *name;
	void (*run)(struct driver *d, const char *image);
	void (*run_carried)(struct driver *d, const char *image, unsigned can); /* instead of it */
} parts[] = {
	{ "create", .run = create_is_idempotent },
	{ "destroy", .run = destroy_always_succeeds },
	{ "restart", .run = restart_keeps_and_refreshes },
	{ "power", .run_carried = power_moves },
	{ "snapshots", .run_carried = snapshots_are_taken_and_reverted },
	{ "sizes", .run_carried = sizes_grow },
	{ "screens", .run_carried = screens_and_hosts_are_checked },
	{ "personal", .run_carried = personal_disks_move },
	{ "hosts", .run = hosts_are_chosen },
	{ "networks", .run = networks_are_named },
	{ "twice", .run = contract_twice },
	{ "at-once", .run = contract_at_once },
	{ "cancel", .run = contract_cancel },
};

static bool is_wanted(const char *part)
{
	const char *only = getenv("PUESTO_TEST_CONTRACT");

	return !only || strcmp(only, part) == 0;
}

void contract_check(struct driver *d, uv_loop_t *loop, const char *image_path,
	void (*die)(struct driver *d, const char *desktop))
{
	struct pst_err err = PST_ERR_INIT;
	struct driver_capacity c;
	size_t n = 0;

	FINE(driver_capacity(d, &c, &err));
	cr_assert(c.healthy, "%s", c.reason);
	cr_assert_gt(c.machines, 0);
	for (size_t i = 0; i < PST_ARRAY_LEN(parts); i++) {
		if (!is_wanted(parts[i].name))
			continue;
		n++;
		if (parts[i].run)
			parts[i].run(d, image_path);
		else
			parts[i].run_carried(d, image_path, c.can);
	}
	if (is_wanted("ends")) {
		n++;
		ends_are_told(d, loop, image_path, die);
	}
	cr_assert_gt(n, 0, "the contract has no part of this name");
}
