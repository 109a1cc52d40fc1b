/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The contract against real QEMUs without a guest in them (their firmware finds nothing to boot), and what the
 * contract does not say of this driver. With a guest: tests/integration/test_qemu_pool.py.
 */
/* Covers: broker/hypervisor/qemu/keeper.c broker/hypervisor/qemu/life.c broker/hypervisor/qemu/list.c broker/hypervisor/qemu/machine.c */
/* Covers: broker/hypervisor/qemu/net.c */
/* Covers: broker/hypervisor/qemu/op.c broker/hypervisor/qemu/plan.c broker/hypervisor/qemu/power.c broker/hypervisor/qemu/record.c */
/* Covers: broker/hypervisor/qemu/resize.c broker/hypervisor/qemu/settings.c broker/hypervisor/qemu/snapshot.c broker/hypervisor/qemu/tpm.c */
#include "base/conf.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"
#include "broker/hypervisor/qemu/qmp.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK_MB 64

static struct site {
	char data[PATH_MAX], golden[PATH_MAX];
	uv_loop_t loop;
	struct pst_conf *conf;
	struct driver *d;
} site;

static void site_open(struct site *s)
{
	struct driver_params p = {
		.name = "vm", .data = s->data, .libexec = "/nowhere", .conf = s->conf, .section = "provider-vm", .loop = &s->loop
	};
	struct pst_err err = PST_ERR_INIT;

	s->d = driver_open(registry_find("qemu"), &p, &err);
	cr_assert_not_null(s->d, "%s", err.text);
}

static void site_begin(struct site *s, const char *settings)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_overlay o = { .path = s->golden, .size = (uint64_t)DISK_MB << 20 };
	char text[512];
	int n;

	if (geteuid() != 0 || access("/usr/bin/qemu-system-x86_64", X_OK) < 0 || getenv("SANITIZED"))
		cr_skip("the qemu provider needs root and qemu-system-x86_64, and a sanitizer's allocator needs more memory than it "
			"grants");
	snprintf(s->data, sizeof(s->data), "/var/tmp/pq-XXXXXX");
	cr_assert_not_null(mkdtemp(s->data));
	chmod(s->data, 0755);
	path_make(s->golden, &err, "%s/golden.qcow2", s->data);
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	chmod(s->golden, 0444);
	uv_loop_init(&s->loop);
	s->conf = pst_conf_create();
	n = snprintf(text, sizeof(text), "[provider-vm]\naccel = tcg\n%s", settings);
	cr_assert_eq(pst_conf_parse(s->conf, "test", text, (size_t)n, &err), 0, "%s", err.text);
	site_open(s);
}

static void site_close(struct site *s)
{
	driver_close(s->d);
	s->d = NULL;
	uv_run(&s->loop, UV_RUN_DEFAULT);
}

static void site_end(struct site *s)
{
	struct pst_err err = PST_ERR_INIT;

	site_close(s);
	cr_assert_eq(pst_loop_drain(&s->loop), 0);
	pst_conf_destroy(s->conf);
	cr_assert_eq(tree_remove(s->data, &err), 0, "%s", err.text);
}

static void in_folder(const char *desktop, const char *name, char out[PATH_MAX])
{
	path_make(out, NULL, "%s/qemu/vm/desktops/%s/%s", site.data, desktop, name);
}

static pid_t pid_of(const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct process_id id;
	char path[PATH_MAX];

	in_folder(desktop, "pid", path);
	cr_assert_eq(process_load(path, &id, &err), 0, "%s", err.text);
	return id.pid;
}

static void qemu_die(struct driver *d, const char *desktop)
{
	(void)d;
	kill(pid_of(desktop), SIGKILL);
}

static void folder_is_empty(const char *name)
{
	char path[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	path_make(path, NULL, "%s/qemu/vm/%s", site.data, name);
	dir = opendir(path);
	cr_assert_not_null(dir);
	while ((e = readdir(dir)))
		cr_expect(e->d_name[0] == '.', "%s/%s is left", path, e->d_name);
	closedir(dir);
}

Test(qemu, keeps_the_contract, .timeout = 240)
{
	site_begin(&site, "stop_wait_s = 1\n");
	contract_guestless = true;
	contract_check(site.d, &site.loop, site.golden, qemu_die);
	folder_is_empty("desktops");
	site_end(&site);
}

struct sight {
	const char *desktop;
	unsigned n;
	struct machine m;
};

static void on_machine(const struct machine *m, void *arg)
{
	struct sight *s = arg;

	if (strcmp(m->desktop, s->desktop) == 0) {
		s->n++;
		s->m = *m;
	}
}

static struct machine look(const char *desktop)
{
	struct sight s = { .desktop = desktop };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(driver_list(site.d, on_machine, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.n, 1);
	return s.m;
}

static void create(struct machine_request *r)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine m;

	contract_request(r, site.golden);
	r->memory_mb = 128;
	cr_assert_eq(driver_create(site.d, r, &m, &err), 0, "%s", err.text);
}

static void on_ended(const char *desktop, const char *reason, void *arg)
{
	(void)desktop;
	cr_expect_neq(reason[0], '\0');
	++*(unsigned *)arg;
}

Test(qemu, outlives_the_driver_and_is_found_again, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r, other;
	struct machine m;
	unsigned ends = 0;

	site_begin(&site, "");
	create(&r);
	pid_t pid = pid_of(r.desktop);
	site_close(&site);
	site_open(&site);
	cr_expect_eq(pid_of(r.desktop), pid);
	m = look(r.desktop);
	cr_expect_eq(m.state, MACHINE_RUNNING);
	cr_assert_eq(driver_create(site.d, &r, &m, &err), 0, "the same task again: %s", err.text);
	cr_expect_eq(pid_of(r.desktop), pid);
	create(&other);
	cr_expect_str_neq(look(other.desktop).endpoint.address, m.endpoint.address, "its uid, and so its address, is taken");
	cr_assert_eq(driver_watch(site.d, r.desktop, on_ended, &ends, &err), 0, "%s", err.text);
	kill(pid, SIGKILL);
	while (ends == 0)
		uv_run(&site.loop, UV_RUN_ONCE);
	site_close(&site);
	site_open(&site);
	cr_expect_eq(look(r.desktop).state, MACHINE_FAILED, "it is no news, but it is not forgotten");
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	cr_assert_eq(driver_destroy(site.d, other.desktop, &err), 0, "%s", err.text);
	folder_is_empty("desktops");
	site_end(&site);
}

static bool is_there(const char *desktop, const char *name)
{
	char path[PATH_MAX];

	in_folder(desktop, name, path);
	return access(path, F_OK) == 0;
}

static void damage(const char *desktop, const char *name)
{
	char path[PATH_MAX];

	in_folder(desktop, name, path);
	cr_assert_eq(truncate(path, 1000), 0);
}

Test(qemu, a_suspended_machine_has_its_memory_on_disk, .timeout = 60)
{
	struct machine_size larger = { .memory_mb = 160 };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;

	site_begin(&site, "");
	create(&r);
	for (int damaged = 0; damaged < 2; damaged++) {
		cr_assert_eq(driver_power(site.d, r.desktop, POWER_SUSPEND, &err), 0, "%s", err.text);
		cr_expect(is_there(r.desktop, "memory") && !is_there(r.desktop, "memory.tmp"));
		cr_expect_eq(driver_resize(site.d, r.desktop, &larger, &err), PST_EBUSY, "its memory is as large as it was");
		cr_expect_eq(driver_snapshot_take(site.d, r.desktop, "a", &err), PST_EBUSY);
		site_close(&site);
		site_open(&site);
		cr_expect_eq(look(r.desktop).state, MACHINE_STOPPED);
		if (damaged)
			damage(r.desktop, "memory");
		cr_assert_eq(driver_power(site.d, r.desktop, POWER_START, &err), 0, "%s", err.text);
		cr_expect_eq(look(r.desktop).state, MACHINE_RUNNING);
		cr_expect_eq(is_there(r.desktop, "memory.bad"), damaged == 1, "what cannot be loaded is kept aside, and it boots");
		cr_expect_not(is_there(r.desktop, "memory"));
	}
	cr_assert_eq(driver_power(site.d, r.desktop, POWER_SUSPEND, &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(site.d, r.desktop, POWER_OFF, &err), 0, "%s", err.text);
	cr_expect_not(is_there(r.desktop, "memory"), "switched off, it has none");
	cr_assert_eq(driver_resize(site.d, r.desktop, &larger, &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(site.d, r.desktop, POWER_START, &err), 0, "%s", err.text);
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	site_end(&site);
}

Test(qemu, a_snapshot_brings_back_size_and_state, .timeout = 60)
{
	struct machine_size larger = { .memory_mb = 160, .disk_mb = 128 };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;

	site_begin(&site, "stop_wait_s = 1\n");
	create(&r);
	cr_assert_eq(driver_snapshot_take(site.d, r.desktop, "running", &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(site.d, r.desktop, POWER_STOP, &err), 0, "%s", err.text);
	cr_assert_eq(driver_snapshot_take(site.d, r.desktop, "1", &err), 0, "stopped: %s", err.text);
	cr_assert_eq(driver_resize(site.d, r.desktop, &larger, &err), 0, "%s", err.text);
	cr_assert_eq(driver_snapshot_revert(site.d, r.desktop, "running", &err), 0, "it ran with less memory: %s", err.text);
	cr_expect_eq(look(r.desktop).state, MACHINE_RUNNING);
	cr_assert_eq(driver_snapshot_revert(site.d, r.desktop, "1", &err), 0, "a name that is a number: %s", err.text);
	cr_expect_eq(look(r.desktop).state, MACHINE_STOPPED, "it did not run then");
	cr_assert_eq(driver_snapshot_drop(site.d, r.desktop, "running", &err), 0, "of a stopped one: %s", err.text);
	cr_assert_eq(driver_snapshot_drop(site.d, r.desktop, "1", &err), 0, "%s", err.text);
	for (int i = 0; i < 9; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i);
		cr_expect_eq(driver_snapshot_take(site.d, r.desktop, name, &err), i < 8 ? 0 : PST_ELIMIT, "%s", err.text);
	}
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	site_end(&site);
}

Test(qemu, the_screen_is_reached_by_a_socket, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_screen e;
	struct machine_request r;
	char words[64] = "";
	struct stat st;

	site_begin(&site, "");
	create(&r);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(driver_console(site.d, r.desktop, true, &e, &err), 0, "%s", err.text);
		cr_assert_eq(e.at.kind, ENDPOINT_RFB);
		cr_assert_eq(stat(e.at.address, &st), 0);
		cr_expect_eq(st.st_mode & 07777, 0660);
		int fd = pst_unix_connect(e.at.address, &err);
		cr_assert_geq(fd, 0, "%s", err.text);
		struct pollfd p = { .fd = fd, .events = POLLIN };
		cr_assert_eq(poll(&p, 1, 20000), 1);
		cr_assert_eq(read(fd, words, 12), 12);
		cr_expect_str_eq(words, "RFB 003.008\n");
		close(fd);
	}
	/* For one who is alone there is a connection already: QEMU answers its first words. */
	cr_assert_eq(driver_console(site.d, r.desktop, false, &e, &err), 0, "%s", err.text);
	cr_assert_eq(e.at.kind, ENDPOINT_DBUS);
	cr_assert_eq(write(e.fd, "\0AUTH EXTERNAL\r\nDATA\r\n", 22), 22);
	cr_assert_eq(poll(&(struct pollfd){ .fd = e.fd, .events = POLLIN }, 1, 20000), 1);
	memset(words, 0, sizeof(words));
	cr_assert_gt(read(e.fd, words, sizeof(words) - 1), 3);
	cr_expect(strncmp(words, "DATA", 4) == 0, "%s", words);
	close(e.fd);
	cr_assert_eq(driver_power(site.d, r.desktop, POWER_OFF, &err), 0, "%s", err.text);
	cr_expect_eq(driver_console(site.d, r.desktop, false, &e, &err), PST_EBUSY);
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	site_end(&site);
}

Test(qemu, what_is_destroyed_can_stay_in_the_bin, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	char path[PATH_MAX];
	struct dirent *e;
	unsigned n = 0;
	DIR *dir;

	site_begin(&site, "recycle_h = 1\n");
	create(&r);
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	folder_is_empty("desktops");
	path_make(path, NULL, "%s/qemu/vm/recycle", site.data);
	dir = opendir(path);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	closedir(dir);
	cr_expect_eq(n, 1);
	site_end(&site);
}

/* --- users' own disks ------------------------------------------------------- */

static void monitor(const char *desktop, const char *command, json_t *arguments)
{
	uint64_t until = pst_mono_ms() + 10000;
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct qmp *q;

	in_folder(desktop, "qmp", path);
	q = qmp_open(path, until, &err);
	cr_assert_not_null(q, "%s", err.text);
	cr_assert_eq(qmp_call(q, command, arguments, NULL, until, &err), 0, "%s", err.text);
	qmp_close(q);
}

static uid_t disk_uid(const char *folder, const struct machine_personal *p)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	struct stat st;

	cr_assert_eq(personal_path(folder, p->owner, p->name, path, &err), 0, "%s", err.text);
	cr_assert_eq(lstat(path, &st), 0, "%s", path);
	return st.st_uid;
}

/* The uid may be another guest's soon. */
Test(qemu, a_disk_that_nobody_has_is_no_guest_s, .timeout = 60)
{
	struct machine_personal p = { .owner = "11111111-2222-4333-8444-555555555555", .name = "files", .size_mb = 16 };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	char folder[PATH_MAX];

	site_begin(&site, "");
	path_make(folder, &err, "%s/qemu/vm", site.data);
	create(&r);
	for (int is_destroyed = 0; is_destroyed < 2; is_destroyed++) {
		cr_assert_eq(driver_personal_attach(site.d, r.desktop, &p, &err), 0, "%s", err.text);
		cr_expect_neq(disk_uid(folder, &p), geteuid());
		if (is_destroyed) {
			cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
		} else {
			cr_assert_eq(driver_power(site.d, r.desktop, POWER_OFF, &err), 0, "%s", err.text);
			cr_assert_eq(driver_personal_detach(site.d, r.desktop, &p, &err), 0, "%s", err.text);
			cr_assert_eq(driver_power(site.d, r.desktop, POWER_START, &err), 0, "%s", err.text);
		}
		cr_expect_eq(disk_uid(folder, &p), geteuid(), "%s", is_destroyed ? "destroyed" : "detached");
	}
	site_end(&site);
}

/* The device is gone from the machine, and QEMU has not finished with its file: as after a detach whose answer was lost. */
Test(qemu, a_disk_is_let_go_when_it_is_closed, .timeout = 60)
{
	struct machine_personal p = { .owner = "11111111-2222-4333-8444-555555555555", .name = "files", .size_mb = 16 };
	char folder[PATH_MAX], holder[PST_UUID_SIZE];
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;

	site_begin(&site, "");
	path_make(folder, &err, "%s/qemu/vm", site.data);
	create(&r);
	cr_assert_eq(personal_create(folder, p.owner, p.name, (uint64_t)p.size_mb << 20, geteuid(), getegid(), &err), 0, "%s", err.text);
	cr_assert_eq(personal_attach(folder, p.owner, p.name, r.desktop, &err), 0, "%s", err.text);
	monitor(r.desktop, "blockdev-add", json_pack("{s:s, s:s, s:i}", "driver", "null-co", "node-name", "personal", "size", 1 << 20));
	monitor(r.desktop, "blockdev-add", json_pack("{s:s, s:s, s:s}", "driver", "raw", "node-name", "busy", "file", "personal"));
	cr_expect_eq(driver_personal_detach(site.d, r.desktop, &p, &err), PST_EAGAIN);
	cr_expect_not_null(strstr(err.text, "is not closed"), "%s", err.text);
	cr_assert_eq(personal_holder(folder, p.owner, p.name, holder, &err), 0, "%s", err.text);
	cr_expect_str_eq(holder, r.desktop);
	monitor(r.desktop, "blockdev-del", json_pack("{s:s}", "node-name", "busy"));
	for (int again = 0; again < 2; again++)
		cr_assert_eq(driver_personal_detach(site.d, r.desktop, &p, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(folder, p.owner, p.name, holder, &err), 0, "%s", err.text);
	cr_expect_str_eq(holder, "");
	cr_assert_eq(driver_destroy(site.d, r.desktop, &err), 0, "%s", err.text);
	site_end(&site);
}

Test(qemu, a_section_is_read_with_suspicion)
{
	static const char *const bad[] = { "accel = fast\n", "network = lan\n", "network = bridge:br0\n",
		"network = bridge:a/b\naddresses = 10.0.0.1-10.0.0.2\n", "network = bridge:br0\naddresses = 10.0.0.2\n",
		"directory = relative\n", "directory = /a,b\n", "directory = /a/directory/whose/name/is/too/long/for/a/socket/below/it\n",
		"uid_base = 16777217\n", "deadline_s = 1\n", "recycle_h = x\n" };
	struct pst_err err = PST_ERR_INIT;

	site_begin(&site, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_conf *conf = pst_conf_create();
		struct driver_params p = {
			.name = "vm", .data = site.data, .libexec = "/nowhere", .conf = conf, .section = "provider-vm", .loop = &site.loop
		};
		char text[512];
		int n = snprintf(text, sizeof(text), "[provider-vm]\naccel = tcg\n%s", bad[i]);

		if (strncmp(bad[i], "accel", 5) == 0)
			n = snprintf(text, sizeof(text), "[provider-vm]\n%s", bad[i]);
		cr_assert_eq(pst_conf_parse(conf, "test", text, (size_t)n, &err), 0, "%s", err.text);
		cr_expect_null(driver_open(registry_find("qemu"), &p, &err), "%s", bad[i]);
		uv_run(&site.loop, UV_RUN_NOWAIT);
		pst_conf_destroy(conf);
	}
	site_end(&site);
}

Test(qemu, without_its_program_it_says_so)
{
	struct pst_err err = PST_ERR_INIT;
	struct driver_capacity c;
	struct machine_request r;
	struct machine m;

	site_begin(&site, "program = /nowhere/qemu\n");
	cr_assert_eq(driver_capacity(site.d, &c, &err), 0);
	cr_expect_not(c.healthy);
	cr_expect_not_null(strstr(c.reason, "apt-get install"), "%s", c.reason);
	contract_request(&r, site.golden);
	cr_expect_lt(driver_create(site.d, &r, &m, &err), 0);
	folder_is_empty("desktops");
	site_end(&site);
}

Test(qemu, a_tpm_that_cannot_be_given_is_a_fault)
{
	struct pst_err err = PST_ERR_INIT;
	struct driver_capacity c;
	struct machine_request r;
	struct machine m;

	site_begin(&site, "tpm = yes\ntpm_program = /nowhere/swtpm\n");
	cr_assert_eq(driver_capacity(site.d, &c, &err), 0);
	cr_expect_not(c.healthy);
	cr_expect_not_null(strstr(c.reason, "apt-get install swtpm"), "%s", c.reason);
	cr_expect_null(strstr(c.limits, "TPM"), "%s", c.limits);
	contract_request(&r, site.golden);
	r.is_windows = true;
	cr_expect_eq(driver_create(site.d, &r, &m, &err), PST_EUNSUPPORTED, "%s", err.text);
	folder_is_empty("desktops");
	site_end(&site);
}
