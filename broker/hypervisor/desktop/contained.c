/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Directories in the tmpfs mounts of a container. */
#include "broker/hypervisor/desktop/contained.h"

#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/desktop/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

int contained_dirs(const struct launch *l, struct pst_err *err)
{
	char runtime[64];
	const struct {
		const char *path;
		mode_t mode;
	} dirs[] = { { "/run/user", 0755 }, { runtime, 0700 }, { DESKTOP_X_DIR, 0700 }, { "/run/lock", 01777 },
		{ "/tmp/.X11-unix", 01777 }, { "/tmp/.ICE-unix", 01777 } };

	snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned)l->uid);
	for (size_t i = 0; i < PST_ARRAY_LEN(dirs); i++) {
		if (pst_mkdirs(dirs[i].path, dirs[i].mode, err) < 0)
			return err->code;
		if (chmod(dirs[i].path, dirs[i].mode) < 0)
			return pst_err_sys(err, PST_EIO, errno, "own %s", dirs[i].path);
	}
	return 0;
}
