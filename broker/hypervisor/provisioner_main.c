/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-provisioner: configuration, drivers, and the loop. See puesto-provisioner(8). */
#include "base/conf.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/backup/backups.h"
#include "broker/hypervisor/backup/forget.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/provisioner.h"
#include "broker/hypervisor/registry.h"
#include "broker/hypervisor/storage/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define SECTION_PREFIX "provider-"

struct program {
	struct pst_conf *conf;
	uv_loop_t loop;
	char data[PATH_MAX], libexec[PATH_MAX], socket[PATH_MAX], lock[PATH_MAX];
	uint32_t threads;
	struct provisioner *provisioner;
	int rc; /* of the walk over sections, with its words in err */
	struct pst_err err;
	unsigned providers;
};

static int settings_read(struct program *g, struct pst_err *err)
{
	struct pst_conf *c = g->conf;
	const char *socket = pst_conf_str(c, "provisioner", "socket", NULL);
	char text[8];

	if (path_make(g->data, err, "%s", pst_conf_str(c, "provisioner", "data", "/var/lib/puesto")) < 0 ||
		path_make(g->libexec, err, "%s", pst_conf_str(c, "provisioner", "libexec", PKGLIBEXECDIR)) < 0)
		return err->code;
	if (g->data[0] != '/' || g->libexec[0] != '/')
		return pst_err_set(err, PST_EINVAL, "[provisioner] data and libexec must be absolute paths");
	if ((socket ? path_make(g->socket, err, "%s", socket) :
			path_make(g->socket, err, "%s/run/provisioner.sock", g->data)) < 0 ||
		path_make(g->lock, err, "%s/run/provisioner.lock", g->data) < 0 ||
		pst_conf_u32(c, "provisioner", "threads", 1, PROVISIONER_THREADS_MAX, 4, &g->threads, err) < 0)
		return err->code;
	/* libuv reads it when the first work is queued. */
	snprintf(text, sizeof(text), "%u", g->threads + PROVISIONER_SCREENS);
	setenv("UV_THREADPOOL_SIZE", text, 1);
	return 0;
}

static int provider_open(struct program *g, const char *name, const char *section, const char *kind,
	struct pst_err *err)
{
	const struct driver_type *type = registry_find(kind);
	struct driver_params params = { .name = name, .data = g->data, .libexec = g->libexec,
		.conf = g->conf, .section = section, .loop = &g->loop };
	struct driver *d;

	if (!type)
		return pst_err_set(err, PST_EINVAL, "[%s] kind: \"%s\" is not one of: %s", section, kind,
			registry_kinds());
	d = driver_open(type, &params, err);
	if (!d)
		return err->code;
	g->providers++;
	return provisioner_add(g->provisioner, d, err);
}

static bool provider_section(const char *section, void *arg)
{
	struct program *g = arg;
	const char *name = section + strlen(SECTION_PREFIX);

	g->rc = provider_open(g, name, section, pst_conf_str(g->conf, section, "kind", "local"), &g->err);
	return g->rc == 0;
}

static int providers_open(struct program *g, struct pst_err *err)
{
	pst_conf_each_section(g->conf, SECTION_PREFIX, provider_section, g);
	if (g->rc < 0)
		return pst_err_pass(err, g->rc, &g->err);
	if (g->providers > 0)
		return 0;
	return provider_open(g, "local", SECTION_PREFIX "local", "local", err);
}

static void on_stop(void *arg)
{
	struct program *g = arg;

	pst_info("ending; the desktops stay");
	pst_sd_notify("STOPPING=1");
	provisioner_close(g->provisioner, NULL, NULL);
	g->provisioner = NULL;
}

/* Before the drivers, which place on them. */
static int datastores_open(struct program *g, struct pst_err *err)
{
	const char *qemu_img = pst_conf_str(g->conf, "provisioner", "qemu_img", "/usr/bin/qemu-img");
	struct stores *set = stores_shared();
	char unpack[PATH_MAX];
	struct image_tools tools = { .qemu_img = qemu_img, .unpack = unpack, .files = provisioner_files, .arg = g->provisioner };
	struct storage *s = NULL;
	uint32_t backups;

	if (path_make(unpack, err, "%s/puesto-unpack", g->libexec) < 0)
		return err->code;
	if (set)
		s = storage_create(&g->loop, set, &tools);
	if (!s)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	provisioner_set_storage(g->provisioner, s);
	backup_daemon_set(pst_conf_str(g->conf, "provisioner", "qemu_storage_daemon", "/usr/bin/qemu-storage-daemon"));
	if (pst_conf_u32(g->conf, "provisioner", "backups", 1, 64, BACKUPS_AT_ONCE, &backups, err) < 0 ||
		provisioner_set_backups(g->provisioner, set, backups, err) < 0)
		return err->code;
	return storage_configure(set, g->conf, g->data, err);
}

static int serve(struct program *g, struct pst_err *err)
{
	int rc;

	g->provisioner = provisioner_create(&g->loop, g->socket, g->threads);
	if (!g->provisioner)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (datastores_open(g, err) < 0 || providers_open(g, err) < 0 || pst_conf_check_unused(g->conf, err) < 0 ||
		provisioner_start(g->provisioner, err) < 0) {
		provisioner_close(g->provisioner, NULL, NULL);
		return err->code;
	}
	/* The desktops we start outlive their launchers: their zombies shall come to us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pst_info("serving data=%s socket=%s", g->data, g->socket);
	pst_sd_notify("READY=1");
	rc = pst_loop_run_until_signal(&g->loop, on_stop, NULL, g);
	return rc < 0 ? pst_err_set(err, rc, "the loop failed") : 0;
}

static int run(struct program *g, struct pst_err *err)
{
	char run_dir[PATH_MAX];
	int lock, rc;

	if (pst_process_harden(err) < 0)
		return err->code;
	/* Nothing that we make may be writable by others; desktops, whose users read, get their modes explicitly. */
	umask(022);
	if (settings_read(g, err) < 0 || path_make(run_dir, err, "%s/run", g->data) < 0 ||
		pst_mkdirs(run_dir, 0755, err) < 0)
		return err->code;
	lock = pst_pidfile_open(g->lock, err);
	if (lock < 0)
		return pst_err_wrap(err, "only one provisioner may serve %s", g->data);
	uv_loop_init(&g->loop);
	rc = serve(g, err);
	pst_loop_drain(&g->loop);
	pst_pidfile_close(g->lock, lock);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct pst_daemon_options options = {
		.program = "puesto-provisioner",
		.summary = "makes, restarts and destroys desktops for puesto-broker",
		.default_config = SYSCONFDIR "/puesto/provisioner.conf",
	};
	struct program g = { .err = PST_ERR_INIT };
	struct pst_err err = PST_ERR_INIT;
	int rc = pst_daemon_parse(argc, argv, &options, &g.conf, NULL, &err);

	if (rc == 0)
		rc = run(&g, &err);
	if (rc < 0)
		pst_error("%s", err.text);
	pst_conf_destroy(g.conf);
	return rc < 0 ? 1 : 0;
}
