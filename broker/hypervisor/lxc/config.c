/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes what liblxc reads: namespaces, layers, mounts, limits, and a process 1 without any privilege. */
#include "broker/hypervisor/lxc/config.h"

#include "base/json.h"
#include "base/mem.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

static void isolation_write(struct pst_buf *b, const struct config_site *site, const struct machine_request *r, uid_t uid)
{
	pst_buf_printf(b, "lxc.uts.name = %s\n", r->hostname);
	pst_buf_printf(b, "lxc.init.uid = %u\nlxc.init.gid = %u\n", (unsigned)uid, (unsigned)uid);
	pst_buf_put_str(b, "lxc.cap.keep = none\nlxc.no_new_privs = 1\nlxc.signal.halt = SIGTERM\n");
	pst_buf_put_str(b, "lxc.autodev = 1\nlxc.tty.max = 0\nlxc.pty.max = 256\nlxc.mount.auto = proc:mixed sys:ro\n");
	/* A provisioner with no_new_privs cannot change profiles; ours is no worse than LXC's. */
	if (site->apparmor)
		pst_buf_put_str(b, "lxc.apparmor.profile = unchanged\n");
	if (request_has_network(r))
		pst_buf_printf(b, "lxc.net.0.type = veth\nlxc.net.0.link = %s\nlxc.net.0.flags = up\n", site->bridge);
	else
		pst_buf_put_str(b, "lxc.net.0.type = empty\n");
	pst_buf_printf(b, "lxc.console.logfile = %s/log\nlxc.log.file = %s/lxc.log\nlxc.log.level = ERROR\n", site->dir, site->dir);
}

static void layers_write(struct pst_buf *b, const struct config_site *site, const struct machine_request *r)
{
	pst_buf_put_str(b, "lxc.rootfs.path = overlay:");
	if (r->image_path[0])
		pst_buf_printf(b, "%s/layer:", r->image_path);
	pst_buf_printf(b, "%s:%s/upper\n", site->base, site->dir);
}

static void mount_write(struct pst_buf *b, const char *source, const char *inside, const char *options)
{
	pst_buf_printf(b, "lxc.mount.entry = %s %s none bind,create=dir,%s 0 0\n", source, inside, options);
}

/* /run holds the frame buffer, so its ceiling follows the largest screen. */
static void mounts_write(struct pst_buf *b, const struct config_site *site, const struct machine_request *r)
{
	unsigned fb_mb = (unsigned)((uint64_t)r->max_width * r->max_height * 4 / (1 << 20)) + 1, half_mb = PST_MAX(r->memory_mb / 2, 16u);
	const struct {
		const char *name, *inside;
		unsigned mb;
	} tmpfs[] = { { "run", "run", fb_mb + 32 }, { "tmp", "tmp", half_mb }, { "shm", "dev/shm", half_mb } };
	char path[PATH_MAX + 8];

	for (size_t i = 0; i < PST_ARRAY_LEN(tmpfs); i++)
		pst_buf_printf(b, "lxc.mount.entry = %s %s tmpfs create=dir,rw,nosuid,nodev,mode=1777,size=%um 0 0\n", tmpfs[i].name, tmpfs[i].inside, tmpfs[i].mb);
	snprintf(path, sizeof(path), "%s/run", site->dir);
	mount_write(b, path, "run/puesto", "rw,nosuid,nodev,noexec");
	mount_write(b, site->agents, "run/puesto/broker", "ro,nosuid,nodev,noexec");
	snprintf(path, sizeof(path), "%s/home", site->dir);
	mount_write(b, path, "home", "rw,nosuid,nodev");
	mount_write(b, site->libexec, "usr/libexec/puesto", "ro,nosuid,nodev");
}

static void limits_write(struct pst_buf *b, const struct config_site *site, const struct machine_request *r)
{
	unsigned long long bytes = (unsigned long long)r->memory_mb << 20;

	if (site->unified) {
		pst_buf_printf(b, "lxc.cgroup2.memory.max = %llu\nlxc.cgroup2.memory.swap.max = 0\n", bytes);
		pst_buf_printf(b, "lxc.cgroup2.pids.max = %u\nlxc.cgroup2.cpu.max = %u 100000\n", r->pids, r->cpu_percent * 1000);
		return;
	}
	pst_buf_printf(b, "lxc.cgroup.memory.limit_in_bytes = %llu\nlxc.cgroup.pids.max = %u\n", bytes, r->pids);
	pst_buf_printf(b, "lxc.cgroup.cpu.cfs_period_us = 100000\nlxc.cgroup.cpu.cfs_quota_us = %u\n", r->cpu_percent * 1000);
}

/* liblxc splits the command at spaces and knows no quotes: our JSON has none. */
static int command_write(struct pst_buf *b, const struct config_site *site, const struct machine_request *r, uid_t uid, struct pst_err *err)
{
	json_t *launch = request_launch(r, uid, site->gateway_uid);
	char *text = launch ? pst_json_text(launch, NULL) : NULL;
	int rc = 0;

	json_decref(launch);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (strpbrk(text, " \t\r\n"))
		rc = pst_err_set(err, PST_EINVAL, "a host name, locale or layout with a space cannot be told to LXC");
	pst_buf_printf(b, "lxc.init.cmd = /usr/libexec/puesto/puesto-desktop --contained %s\n", text);
	free(text);
	return rc;
}

int config_write(struct pst_buf *out, const struct config_site *site, const struct machine_request *r, uid_t uid, struct pst_err *err)
{
	const char *paths[] = { site->dir, site->base, site->agents, site->libexec, site->bridge, r->image_path };

	for (size_t i = 0; i < PST_ARRAY_LEN(paths); i++) {
		if (strpbrk(paths[i], " \t\r\n:,\\"))
			return pst_err_set(err, PST_EINVAL, "\"%.200s\": LXC cannot be told a path with a space, ':', ',' or '\\'", paths[i]);
	}
	if (command_write(out, site, r, uid, err) < 0)
		return err->code;
	isolation_write(out, site, r, uid);
	layers_write(out, site, r);
	mounts_write(out, site, r);
	limits_write(out, site, r);
	return out->failed ? pst_err_set(err, PST_ELIMIT, "the container's configuration is too long") : 0;
}
