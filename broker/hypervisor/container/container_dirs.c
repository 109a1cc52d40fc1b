/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's directory on this host: run/ is shown in the container, and the agent's socket comes to be in it. */
#include "broker/hypervisor/container/container_priv.h"

#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/identity.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int dirs_path(const struct container *c, const char *desktop, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	if (!name)
		return path_make(out, err, "%s/%s", c->dirs, desktop);
	return path_make(out, err, "%s/%s/%s", c->dirs, desktop, name);
}

int dirs_make(const struct container *c, const char *desktop, uid_t uid, struct pst_err *err)
{
	const struct {
		const char *name;
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} dirs[] = { { NULL, 0711, 0, 0 },
		/* What the agent makes here belongs to the gateway's group and nobody else. */
		{ "run", 02770, uid, c->gateway_gid }, { "run/broker", 0755, 0, 0 } };
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(dirs); i++) {
		if (dirs_path(c, desktop, dirs[i].name, path, err) < 0)
			return err->code;
		if (mkdir(path, 0700) < 0 || chown(path, dirs[i].uid, dirs[i].gid) < 0 || chmod(path, dirs[i].mode) < 0)
			return pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "make %s", path);
	}
	return 0;
}

int dirs_remove(const struct container *c, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	return dirs_path(c, desktop, NULL, path, err) < 0 ? err->code : tree_remove(path, err);
}

int dirs_socket_remove(const struct container *c, const char *desktop, struct pst_err *err)
{
	char path[PATH_MAX];

	return dirs_path(c, desktop, "run/display.sock", path, err) < 0 ? err->code : tree_remove(path, err);
}

int dirs_enrol(const struct container *c, const struct machine_request *r, uid_t uid, struct pst_err *err)
{
	char run[PATH_MAX];

	return dirs_path(c, r->desktop, "run", run, err) < 0 ? err->code : identity_enrol(run, r->desktop, r->enrol_token, uid, err);
}
