/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Users' own disks in running containers. The engine is one of this host and its processes have the host's uids (container_make.c),
 * so a home is mounted as in any desktop of this machine, and the engine does not know of it.
 */
#include "broker/hypervisor/container/container_priv.h"

#include "base/json.h"
#include "base/text.h"
#include "broker/hypervisor/disk/personal.h"
#include "broker/hypervisor/local/files.h"
#include "broker/hypervisor/process.h"

#include <unistd.h>

static struct files_site site_of(const struct container *c)
{
	return (struct files_site){ .provider = c->base.name, .folder = c->data, .libexec = c->libexec, .is_sized = c->has_sizes };
}

static bool desktop_is_there(const char *desktop, void *arg)
{
	char path[PATH_MAX];

	return dirs_path(arg, desktop, NULL, path, NULL) < 0 || access(path, F_OK) == 0;
}

/* Process 1, as the engine says now, where the helper looks for it. */
static int process_note(struct op *op, const struct found *f, struct pst_err *err)
{
	json_t *o = engine_inspect(&op->engine, f->now.id, err);
	struct process_id id;
	char path[PATH_MAX];
	int64_t pid;

	if (!o)
		return err->code;
	pid = pst_json_int(json_object_get(o, "State"), "Pid", 2, INT32_MAX, 0);
	json_decref(o);
	if (!pid)
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run", op->desktop);
	if (dirs_path(op->c, op->desktop, "pid", path, err) < 0 || process_identify((pid_t)pid, &id, err) < 0)
		return err->code;
	return process_save(&id, path, err);
}

static int attach(struct op *op, const struct found *f, const struct machine_personal *p, struct pst_err *err)
{
	const struct files_site s = site_of(op->c);
	char dir[PATH_MAX];

	if (!f->is_there || f->now.next)
		return pst_err_set(err, PST_ENOTFOUND, "there is no desktop %s", op->desktop);
	if (f->now.phase != SPEC_RUNNING || f->now.off)
		return pst_err_set(err, PST_EBUSY, "desktop %s does not run", op->desktop);
	if (dirs_path(op->c, op->desktop, NULL, dir, err) < 0 || process_note(op, f, err) < 0)
		return err->code;
	return files_attach(&s, &(struct files_desktop){ op->desktop, dir, f->now.uid, desktop_is_there, op->c }, p, err);
}

int container_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct container *c = container_of(d);
	struct found f;
	struct op op;
	int rc;

	if (!c->has_personal)
		return pst_err_set(err, PST_EUNSUPPORTED, "this machine cannot bring a user's files into a container: the provisioner's log says why");
	op_begin(&op, c, desktop);
	rc = found_look(&op, &f, err);
	if (rc == 0)
		rc = attach(&op, &f, p, err);
	found_finish(&f);
	op_end(&op);
	return rc;
}

/* Without its container, or when that has ended, there is nobody to take it from: the note of its process 1 is of a dead one, or gone. */
int container_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct container *c = container_of(d);
	const struct files_site s = site_of(c);
	char dir[PATH_MAX];

	if (!c->has_personal)
		return pst_err_set(err, PST_EUNSUPPORTED, "this machine cannot bring a user's files into a container: the provisioner's log says why");
	if (dirs_path(c, desktop, NULL, dir, err) < 0)
		return err->code;
	return files_detach(&s, &(struct files_desktop){ desktop, dir, 0, desktop_is_there, c }, p, err);
}

int container_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	struct container *c = container_of(d);
	const struct files_site s = site_of(c);

	if (!c->has_personal)
		return pst_err_set(err, PST_EUNSUPPORTED, "provider %s does not carry personal disks here", c->base.name);
	return files_remove(&s, p, keep_ms, err);
}

int container_personal_release(struct op *op, struct pst_err *err)
{
	return op->c->has_personal ? personal_release(op->c->data, op->desktop, err) : 0;
}

void container_personal_find(struct container *c, const char *name)
{
	struct files_site s = site_of(c);

	s.provider = name;
	c->has_personal = files_can(&s);
	c->has_sizes = c->has_personal && s.is_sized;
}
