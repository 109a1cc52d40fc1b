/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own disk as the file that a QEMU opens. */
#include "broker/hypervisor/disk/personal.h"

#include "broker/hypervisor/disk/info.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What a QEMU could have written into its header leads nowhere. */
static int header_check(const char *folder, const char *path, uint64_t *ret_size, struct pst_err *err)
{
	struct disk_info info;

	if (disk_chain_walk(path, DISK_QCOW2, folder, NULL, NULL, &info, err) < 0)
		return err->code;
	if (info.qcow2.backing[0] || info.qcow2.has_data_file)
		return pst_err_set(err, PST_ECONFLICT, "%.200s %s another file: an administrator has to look at it", path,
			info.qcow2.backing[0] ? "stands on" : "has its data in");
	*ret_size = info.size;
	return 0;
}

int personal_file_take(const struct personal_wish *w, char ret_path[PATH_MAX], uint64_t *ret_size, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc;

	if (personal_path(w->folder, w->owner, w->name, ret_path, err) < 0)
		return err->code;
	rc = access(ret_path, F_OK) == 0 ? 0 : personal_create(w->folder, w->owner, w->name, w->size, w->uid, w->gid, &why);
	if (rc < 0 && rc != PST_ECONFLICT) /* that one: somebody else has made it meanwhile */
		return pst_err_pass(err, rc, &why);
	if (personal_claim(w->folder, w->owner, w->name, w->desktop, w->is_there, w->arg, err) < 0)
		return err->code;
	return header_check(w->folder, ret_path, ret_size, err);
}

/* The uid's next guest may be somebody else's: without a holder the file is ours. */
static int file_return(const char *folder, const char *desktop, struct pst_err *err)
{
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1], holder[PST_UUID_SIZE], path[PATH_MAX];

	if (personal_held(folder, desktop, owner, name, err) < 0)
		return err->code;
	if (!owner[0])
		return 0;
	if (personal_holder(folder, owner, name, holder, err) < 0 || personal_path(folder, owner, name, path, err) < 0)
		return err->code;
	if (strcmp(holder, desktop) != 0)
		return 0;
	return lchown(path, geteuid(), getegid()) < 0 && errno != ENOENT ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;
}

int personal_file_release(const char *folder, const char *desktop, struct pst_err *err)
{
	return file_return(folder, desktop, err) < 0 ? err->code : personal_release(folder, desktop, err);
}
