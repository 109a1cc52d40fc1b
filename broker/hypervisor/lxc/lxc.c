/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Desktops in LXC containers of this host. What differs from the local driver is who makes namespaces and
 * control groups: liblxc, in puesto-lxc. LXC's path is the directory of desktops, a container's name its uuid.
 */
#include "broker/hypervisor/local/local_priv.h"
#include "broker/hypervisor/lxc/config.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX (64 * 1024)
#define CALL_MS 30000

/* "ref:NAME" is the golden container of that name, which must not run: its files are shared by all. */
static int lxc_base(const struct local *l, const struct machine_request *r, char out[PATH_MAX], struct pst_err *err)
{
	const char *name = r->image_base + strlen(REQUEST_REF);
	struct stat st;
	int rc;

	if (strcmp(r->image_base, "host") == 0)
		return pst_err_set(err, PST_EUNSUPPORTED,
			"image %s: the base \"host\" is for the local provider; LXC takes a root tree or " REQUEST_REF "NAME of a container in %s",
			r->image_name, l->golden);
	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) != 0)
		rc = path_make(out, err, "%s", r->image_base);
	else if (strchr(name, '/') || strchr(name, ':'))
		rc = pst_err_set(err, PST_EINVAL, "image %s: \"%.100s\" is no container's name", r->image_name, name);
	else
		rc = path_make(out, err, "%s/%s/rootfs", l->golden, name);
	if (rc == 0 && (stat(out, &st) < 0 || !S_ISDIR(st.st_mode)))
		rc = pst_err_set(err, PST_EINVAL, "image %s:%s: there is no directory %s", r->image_name, r->image_version, out);
	return rc;
}

static bool is_unified(const struct local *l)
{
	for (size_t i = 0; i < l->cgroup.n; i++) {
		if (l->cgroup.hierarchies[i].limits & CGROUP_MEMORY)
			return l->cgroup.hierarchies[i].unified;
	}
	return true;
}

static int config_save(const struct local *l, const struct record *r, const char *dir, struct pst_err *err)
{
	struct config_site site = { .dir = dir, .agents = l->agents, .libexec = l->libexec, .bridge = l->bridge, .gateway_uid = l->gateway_uid,
		.unified = is_unified(l), .apparmor = access("/sys/module/apparmor", F_OK) == 0 };
	char base[PATH_MAX], path[PATH_MAX];
	struct pst_buf b;
	int rc;

	if (lxc_base(l, &r->request, base, err) < 0 || path_make(path, err, "%s/config", dir) < 0)
		return err->code;
	site.base = base;
	pst_buf_init(&b, CONFIG_MAX);
	rc = config_write(&b, &site, &r->request, r->uid, err);
	if (rc == 0)
		rc = pst_file_write(path, b.data, b.len, 0600, err);
	pst_buf_finish(&b);
	return rc;
}

static int helper_run(const struct local *l, char *act, const char *desktop, struct pst_err *err)
{
	char program[PATH_MAX], dir[PATH_MAX];
	char *argv[] = { "puesto-lxc", act, dir, NULL };

	if (path_make(program, err, "%s/puesto-lxc", l->libexec) < 0 || desktop_path(l, desktop, NULL, dir, err) < 0)
		return err->code;
	return life_run(program, argv, CALL_MS, desktop, err);
}

static int lxc_start(const struct local *l, const struct record *r, struct pst_err *err)
{
	char dir[PATH_MAX];

	if (desktop_path(l, r->request.desktop, NULL, dir, err) < 0 || config_save(l, r, dir, err) < 0)
		return err->code;
	return helper_run(l, "start", r->request.desktop, err);
}

/* Without a configuration nothing can have been started. */
static int lxc_settle(const struct local *l, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	if (desktop_path(l, desktop, "config", path, err) < 0)
		return err->code;
	return access(path, F_OK) < 0 ? 0 : helper_run(l, "stop", desktop, err);
}

/* liblxc's monitor takes the control groups along. */
static int lxc_remove(const struct local *l, const char *desktop, struct pst_err *err)
{
	(void)l, (void)desktop, (void)err;
	return 0;
}

static void lxc_faults(const struct local *l, char *out, size_t size)
{
	static const char *const helpers[] = { "puesto-lxc", "puesto-desktop" };
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(helpers); i++) {
		if (path_make(path, NULL, "%s/%s", l->libexec, helpers[i]) < 0 || access(path, X_OK) < 0)
			snprintf(out, size, "%.200s/%s is missing: install Puesto's helper programs, and liblxc", l->libexec, helpers[i]);
	}
}

static const struct local_life life_lxc = {
	.folder = "lxc",
	.can = DRIVER_POWER | DRIVER_LINKED_CLONE | DRIVER_PERSONAL,
	.uid_lowest = 10000000,
	.home_owned = true,
	.base = lxc_base,
	.start = lxc_start,
	.settle = lxc_settle,
	.remove = lxc_remove,
	.faults = lxc_faults,
};

static struct driver *lxc_open(const struct driver_params *p, struct pst_err *err)
{
	const char *golden = pst_conf_str(p->conf, p->section, "golden", "/var/lib/lxc");
	const char *bridge = pst_conf_str(p->conf, p->section, "bridge", "lxcbr0");
	struct local *l;

	if (golden[0] != '/' || strpbrk(golden, ":,\\ \t") || strlen(golden) >= sizeof(l->golden) || strlen(bridge) >= sizeof(l->bridge)) {
		pst_err_set(err, PST_EINVAL, "[%s] golden: must be an absolute path without ':', ',', '\\' or spaces; bridge: the name of one", p->section);
		return NULL;
	}
	struct driver *d = local_open_with(p, &life_lxc, err);
	if (!d)
		return NULL;
	l = pst_container_of(d, struct local, base);
	pst_strlcpy(l->golden, sizeof(l->golden), golden);
	pst_strlcpy(l->bridge, sizeof(l->bridge), bridge);
	return d;
}

extern const struct driver_type driver_lxc;

const struct driver_type driver_lxc = {
	.kind = "lxc",
	.open = lxc_open,
	.create = local_create,
	.destroy = local_destroy,
	.restart = local_restart,
	.list = local_list,
	.capacity = local_capacity,
	.watch = local_watch,
	.close = local_close,
	.power = local_power,
	.personal_attach = local_personal_attach,
	.personal_detach = local_personal_detach,
	.personal_remove = local_personal_remove,
};
