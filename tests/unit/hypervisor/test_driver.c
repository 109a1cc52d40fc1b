/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs the contract against every driver of the registry.
 * Covers: broker/hypervisor/mapped.c broker/hypervisor/local/personal.c broker/hypervisor/fake_personal.c
 * Covers: broker/hypervisor/desktop/attach.c broker/hypervisor/local/files.c
 */
#include "base/daemon.h"
#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/fake.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"
#include "broker/hypervisor/registry.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

static char data[PATH_MAX];

static struct driver *open_kind(const char *kind, uv_loop_t *loop, struct pst_conf *conf,
	const char *libexec)
{
	struct driver_params p = { .name = "test", .data = data, .libexec = libexec, .conf = conf,
		.section = "provider-test", .loop = loop };
	struct pst_err err = PST_ERR_INIT;
	const struct driver_type *type = registry_find(kind);

	cr_assert_not_null(type);
	struct driver *d = driver_open(type, &p, &err);
	cr_assert_not_null(d, "%s", err.text);
	return d;
}

static void fake_die(struct driver *d, const char *desktop)
{
	cr_assert_eq(fake_kill(d, desktop, "the test"), 0);
}

Test(driver, fake_keeps_the_contract)
{
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct driver *d = open_kind("fake", &loop, NULL, "/nowhere");
	contract_check(d, &loop, "/images/demo/1", fake_die);
	driver_close(d);
	pst_loop_drain(&loop);
}

static void process_die(const char *folder, const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct process_id id;
	char path[PATH_MAX];

	path_make(path, &err, "%s/%s/%s/pid", data, folder, desktop);
	cr_assert_eq(process_load(path, &id, &err), 0, "%s", err.text);
	kill(id.pid, SIGKILL);
}

static void local_die(struct driver *d, const char *desktop)
{
	process_die("desktops", desktop);
}

static void lxc_die(struct driver *d, const char *desktop)
{
	process_die("lxc", desktop);
}

static void data_make(void)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];

	snprintf(data, sizeof(data), "/var/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(data));
	chmod(data, 0755);
	path_make(path, &err, "%s/images/demo/1/layer", data);
	cr_assert_eq(pst_mkdirs(path, 0755, &err), 0, "%s", err.text);
}

static struct driver *local_begin(uv_loop_t *loop, struct pst_conf *conf)
{
	struct pst_err err = PST_ERR_INIT;
	char libexec[PATH_MAX], cwd[PATH_MAX];
	const char *top = getenv("top_builddir");

	if (geteuid() != 0)
		cr_skip("the local provider needs root");
	data_make();
	path_make(libexec, &err, "%s/%s/broker/hypervisor/desktop", getcwd(cwd, sizeof(cwd)),
		top ? top : ".");
	return open_kind("local", loop, conf, libexec);
}

static void local_end(struct driver *d, uv_loop_t *loop, struct pst_conf *conf)
{
	struct pst_err err = PST_ERR_INIT;

	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

Test(driver, local_keeps_the_contract, .timeout = 120)
{
	struct pst_conf *conf = pst_conf_create();
	struct pst_err err = PST_ERR_INIT;
	char image[PATH_MAX];
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct driver *d = local_begin(&loop, conf);
	path_make(image, &err, "%s/images/demo/1", data);
	contract_check(d, &loop, image, local_die);
	local_end(d, &loop, conf);
}

Test(driver, local_asks_before_it_switches_off, .timeout = 60)
{
	struct pst_conf *conf = pst_conf_create();
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	char path[PATH_MAX], *log;
	struct machine m;
	uv_loop_t loop;
	size_t len;

	uv_loop_init(&loop);
	struct driver *d = local_begin(&loop, conf);
	path_make(path, &err, "%s/images/demo/1", data);
	contract_request(&r, path);
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(d, r.desktop, POWER_STOP, &err), 0, "%s", err.text);
	path_make(path, &err, "%s/desktops/%s/log", data, r.desktop);
	cr_assert_eq(pst_file_read(path, 1 << 20, &log, &len, &err), 0, "%s", err.text);
	cr_assert_not_null(strstr(log, "told to end"), "%s", log);
	free(log);
	cr_assert_eq(driver_destroy(d, r.desktop, &err), 0, "%s", err.text);
	local_end(d, &loop, conf);
}

/* The desktop's home as it sees it; a descriptor. */
static int home_of(const char *desktop)
{
	struct pst_err err = PST_ERR_INIT;
	struct process_id id;
	char path[PATH_MAX];
	int root, fd;

	path_make(path, &err, "%s/desktops/%s/pid", data, desktop);
	cr_assert_eq(process_load(path, &id, &err), 0, "%s", err.text);
	path_make(path, &err, "/proc/%d/root", (int)id.pid);
	root = open(path, O_PATH | O_DIRECTORY);
	fd = openat(root, "home/user", O_RDONLY | O_DIRECTORY);
	close(root);
	cr_assert_geq(fd, 0);
	return fd;
}

static void machine_new(struct driver *d, struct machine *ret)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	char image[PATH_MAX];

	path_make(image, &err, "%s/images/demo/1", data);
	contract_request(&r, image);
	cr_assert_eq(driver_create(d, &r, ret, &err), 0, "%s", err.text);
}

static int times_in_log(const char *desktop, const char *what)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], *log;
	size_t len;
	int n = 0;

	path_make(path, &err, "%s/desktops/%s/log", data, desktop);
	cr_assert_eq(pst_file_read(path, 1 << 20, &log, &len, &err), 0, "%s", err.text);
	for (const char *at = log; (at = strstr(at, what)); at++)
		n++;
	free(log);
	return n;
}

/* Asked again late, its user works already: process 1 takes its signals in the order of their numbers, and these are two. */
static void told_once(const char *desktop)
{
	while (times_in_log(desktop, "ends and rests") == 0)
		usleep(10000);
	cr_assert_eq(times_in_log(desktop, "ends and begins again"), 1);
}

/* Two desktops have two uids; the files belong to whoever has them. */
Test(driver, local_files_follow_their_user, .timeout = 60)
{
	struct machine_personal p = { .owner = "11111111-2222-4333-8444-555555555555", .name = "files", .size_mb = 64 };
	struct pst_conf *conf = pst_conf_create();
	struct pst_err err = PST_ERR_INIT;
	struct driver_capacity c;
	struct machine one, two;
	struct stat st;
	uv_loop_t loop;
	int home, file;

	uv_loop_init(&loop);
	struct driver *d = local_begin(&loop, conf);
	cr_assert_eq(driver_capacity(d, &c, &err), 0);
	if (!(c.can & DRIVER_PERSONAL))
		cr_skip("this file system maps no ids");
	machine_new(d, &one);
	machine_new(d, &two);
	cr_assert_eq(driver_personal_attach(d, one.desktop, &p, &err), 0, "%s", err.text);
	home = home_of(one.desktop);
	cr_assert_eq(fstat(home, &st), 0);
	cr_assert_eq(st.st_uid, one.uid);
	setfsuid(one.uid);
	file = openat(home, "letter", O_WRONLY | O_CREAT | O_EXCL, 0600);
	setfsuid(0);
	cr_assert_geq(file, 0);
	cr_assert_eq(driver_personal_attach(d, one.desktop, &p, &err), 0, "again: %s", err.text);
	close(home);
	/* We still write: it is not taken away under us. */
	cr_assert_neq(driver_personal_detach(d, one.desktop, &p, &err), 0);
	cr_assert_not_null(strstr(err.text, "let go"), "%s", err.text);
	told_once(one.desktop);
	cr_assert_eq(driver_personal_attach(d, two.desktop, &p, &err), PST_EBUSY);
	close(file);
	cr_assert_eq(driver_personal_detach(d, one.desktop, &p, &err), 0, "%s", err.text);
	home = home_of(one.desktop);
	cr_assert_eq(faccessat(home, "letter", F_OK, 0), -1);
	close(home);
	cr_assert_eq(driver_personal_attach(d, two.desktop, &p, &err), 0, "%s", err.text);
	home = home_of(two.desktop);
	cr_assert_eq(fstatat(home, "letter", &st, 0), 0);
	cr_assert_neq(one.uid, two.uid);
	cr_assert_eq(st.st_uid, two.uid);
	close(home);
	cr_assert_eq(driver_destroy(d, one.desktop, &err), 0, "%s", err.text);
	cr_assert_eq(driver_destroy(d, two.desktop, &err), 0, "%s", err.text);
	cr_assert_eq(driver_personal_remove(d, &p, 60000, &err), 0, "%s", err.text);
	local_end(d, &loop, conf);
}

/* Ends process 1 of the container: the oldest of its uid, which nobody else has. */
static void container_die(struct driver *d, const char *desktop)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command), "pkill -KILL -o -U \"$(stat -c %%u '%s/containers/%s/run')\"", data, desktop);
	cr_assert_eq(system(command), 0);
}

/* tests/integration/test_containers.py starts engines and runs it against each. */
Test(driver, container_keeps_the_contract, .timeout = 240)
{
	struct pst_err err = PST_ERR_INIT;
	char libexec[PATH_MAX], cwd[PATH_MAX];
	const char *top = getenv("top_builddir"), *engine = getenv("PUESTO_ENGINE"), *image = getenv("PUESTO_ENGINE_IMAGE");
	uv_loop_t loop;

	if (!engine || !image)
		cr_skip("PUESTO_ENGINE names no engine: tests/integration/test_containers.py does");
	data_make();
	path_make(libexec, &err, "%s/broker/hypervisor/desktop", top && top[0] == '/' ? top : getcwd(cwd, sizeof(cwd)));
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	snprintf(cwd, sizeof(cwd), "[provider-test]\nengine = %s\npoll_s = 20\n", engine);
	cr_assert_eq(pst_conf_parse(conf, "test", cwd, strlen(cwd), &err), 0, "%s", err.text);
	struct driver *d = open_kind("container", &loop, conf, libexec);
	contract_check(d, &loop, image, container_die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

/* tests/integration/test_lxc.py makes the golden container "desk" there. */
Test(driver, lxc_keeps_the_contract, .timeout = 120)
{
	struct pst_err err = PST_ERR_INIT;
	const char *golden = getenv("PUESTO_LXC_GOLDEN"), *libexec = getenv("PUESTO_LIBEXEC");
	char text[PATH_MAX];
	uv_loop_t loop;

	if (!golden || !libexec)
		cr_skip("PUESTO_LXC_GOLDEN names no golden containers: tests/integration/test_lxc.py does");
	data_make();
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	path_make(text, &err, "[provider-test]\ngolden = %s\n", golden);
	cr_assert_eq(pst_conf_parse(conf, "test", text, strlen(text), &err), 0, "%s", err.text);
	struct driver *d = open_kind("lxc", &loop, conf, libexec);
	contract_check(d, &loop, "ref:desk", lxc_die);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

Test(driver, wrappers_name_the_provider_and_leave_results_alone)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine m = { .uid = 7 };
	struct machine_request r;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct driver *d = open_kind("fake", &loop, NULL, "/nowhere");
	contract_request(&r, "/images/demo/1");
	fake_fail_next(d, 1, PST_EBUSY);
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EBUSY);
	cr_assert_not_null(strstr(err.text, "provider test"));
	cr_assert_eq(m.uid, 7);
	cr_assert(driver_is_retryable(PST_EBUSY));
	cr_assert(!driver_is_retryable(PST_EINVAL));
	driver_close(d);
	pst_loop_drain(&loop);
}

struct silence {
	size_t machines, silent;
};

static void silence_see(const struct machine *m, void *arg)
{
	struct silence *s = arg;

	s->machines += m->desktop[0] != '\0';
	s->silent += !m->desktop[0] && m->state == MACHINE_UNKNOWN && strcmp(m->host, "two") == 0 && m->reason[0];
}

static void unusable_see(const struct driver_host *h, void *arg)
{
	*(size_t *)arg += !h->usable;
}

Test(driver, a_silent_host_is_named_and_the_others_go_on)
{
	struct pst_err err = PST_ERR_INIT;
	struct silence s = { 0 };
	struct machine_request r;
	struct machine m;
	size_t unusable = 0;
	uv_loop_t loop;

	uv_loop_init(&loop);
	struct driver *d = open_kind("fake", &loop, NULL, "/nowhere");
	contract_request(&r, "/images/demo/1");
	pst_strlcpy(r.host, sizeof(r.host), "two");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	contract_request(&r, "/images/demo/1");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	fake_host_silent(d, "two", true);
	cr_assert_eq(driver_list(d, silence_see, &s, &err), 0, "%s", err.text);
	cr_assert_eq(s.machines, 1);
	cr_assert_eq(s.silent, 1);
	cr_assert_eq(driver_hosts(d, unusable_see, &unusable, &err), 0, "%s", err.text);
	cr_assert_eq(unusable, 1);
	cr_assert_eq(driver_migrate(d, r.desktop, "two", &err), PST_EIO);
	driver_close(d);
	pst_loop_drain(&loop);
}

Test(driver, what_a_provider_carries_is_told_in_words)
{
	char text[200];

	cr_assert_str_eq(driver_can_text(DRIVER_POWER | DRIVER_CONSOLE, text, sizeof(text)), "power,console");
	cr_assert_str_eq(driver_can_text(0, text, sizeof(text)), "");
	driver_can_text(~0u, text, 12);
	cr_assert_str_eq(text, "power,suspe", "cut, never over the end");
}

Test(driver, local_refuses_a_hypervisors_image)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;
	uv_loop_t loop;

	if (geteuid() != 0)
		cr_skip("the local provider needs root");
	data_make();
	uv_loop_init(&loop);
	struct pst_conf *conf = pst_conf_create();
	struct driver *d = open_kind("local", &loop, conf, "/nowhere");
	contract_request(&r, "");
	snprintf(r.image_base, sizeof(r.image_base), "ref:debian-12");
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EUNSUPPORTED);
	cr_assert_not_null(strstr(err.text, "ref:debian-12"), "%s", err.text);
	driver_close(d);
	pst_conf_destroy(conf);
	pst_loop_drain(&loop);
	cr_assert_eq(tree_remove(data, &err), 0, "%s", err.text);
}

Test(driver, registry_knows_its_kinds_and_no_others)
{
	cr_assert_null(registry_find("vmware"));
	cr_assert_not_null(strstr(registry_kinds(), "local"));
}
