/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes one container a desktop: created, given its identity, started, and looked at. */
#include "broker/hypervisor/container/container_priv.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/hypervisor/container/tar.h"
#include "broker/hypervisor/identity.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The image's file with our line; an image without one gets ours alone. */
static int accounts_put(struct op *op, const char *name, const char *file, const char *own, struct pst_buf *tar, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char path[32], *text = NULL;
	struct pst_buf b;
	int rc;

	snprintf(path, sizeof(path), "/%s", file);
	rc = engine_file_get(&op->engine, name, path, IDENTITY_ACCOUNTS_MAX, &text, &why);
	if (rc < 0 && rc != PST_ENOTFOUND)
		return pst_err_pass(err, rc, &why);
	pst_buf_init(&b, 2 * IDENTITY_ACCOUNTS_MAX);
	identity_accounts(&b, text ? text : "", own);
	tar_put(tar, file, 0644, 0, (const char *)b.data, b.len);
	pst_buf_finish(&b);
	free(text);
	return 0;
}

/*
 * Accounts, machine id, and a /home that the desktop may make its own in. Where /run and /tmp are to be
 * mounted they get the mode of the mount: runc lets that of the place win.
 */
static int identity_put(struct op *op, const char *name, uid_t uid, struct pst_err *err)
{
	char passwd[IDENTITY_LINE_SIZE], group[IDENTITY_LINE_SIZE], id[IDENTITY_ID_SIZE];
	struct pst_buf tar;
	int rc;

	identity_passwd(uid, passwd);
	identity_group(uid, group);
	identity_machine_id(op->desktop, id);
	pst_buf_init(&tar, 8 * IDENTITY_ACCOUNTS_MAX);
	rc = accounts_put(op, name, "etc/passwd", passwd, &tar, err);
	if (rc == 0)
		rc = accounts_put(op, name, "etc/group", group, &tar, err);
	tar_put(&tar, "etc/machine-id", 0444, 0, id, strlen(id));
	tar_put(&tar, "home", 0755, uid, NULL, 0);
	tar_put(&tar, "run", 01777, 0, NULL, 0);
	tar_put(&tar, "tmp", 01777, 0, NULL, 0);
	tar_end(&tar);
	if (rc == 0 && tar.failed)
		rc = pst_err_set(err, PST_ELIMIT, "the image's /etc/passwd or /etc/group is too large");
	if (rc == 0)
		rc = engine_files_put(&op->engine, name, &tar, err);
	pst_buf_finish(&tar);
	return rc;
}

static int create_call(struct op *op, const char *name, const struct machine_request *r, uid_t uid, const char *image, struct pst_err *err)
{
	const struct container *c = op->c;
	struct spec_site site = { .instance = c->instance, .network = c->network, .libexec = c->libexec, .agents = c->agents,
		.gateway_uid = c->gateway_uid };
	char run[PATH_MAX];
	json_t *body;
	int rc;

	if (dirs_path(c, op->desktop, "run", run, err) < 0)
		return err->code;
	body = spec_create(&site, r, uid, image, run);
	if (!body)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = engine_create(&op->engine, name, body, err);
	json_decref(body);
	return rc;
}

int container_make(struct op *op, const char *name, const struct machine_request *r, uid_t uid, const char *image, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int rc = create_call(op, name, r, uid, image, &why);

	/* A first try whose answer was lost has made it; of an earlier command it may be anything. */
	if (rc == PST_ECONFLICT)
		rc = engine_remove(&op->engine, name, &why) < 0 ? why.code : create_call(op, name, r, uid, image, &why);
	if (rc == PST_ENOTFOUND)
		return pst_err_set(err, PST_EINVAL, "the engine has no image \"%.200s\": pull, import or load it there", image);
	return rc < 0 ? pst_err_pass(err, rc, &why) : identity_put(op, name, uid, err);
}

/* Real uid of a process of this host; -1 when there is none. */
static int64_t process_uid(int64_t pid)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX], line[256];
	unsigned uid = 0;
	bool known = false;
	FILE *f;

	if (path_make(path, &ignored, "/proc/%lld/status", (long long)pid) < 0)
		return -1;
	f = fopen(path, "re");
	while (f && !known && fgets(line, sizeof(line), f))
		known = sscanf(line, "Uid: %u", &uid) == 1;
	if (f)
		fclose(f);
	return known ? (int64_t)uid : -1;
}

static int start_failed(struct op *op, const char *name, const json_t *inspected, struct pst_err *err)
{
	char reason[MACHINE_REASON_SIZE], tail[300];

	engine_log(&op->engine, name, tail, sizeof(tail));
	spec_ended(inspected, 0, tail, reason);
	return pst_err_set(err, PST_EIO, "the desktop did not start: %s", reason);
}

int container_start(struct op *op, const char *name, uid_t uid, struct pst_err *err)
{
	int64_t pid, real = -1;
	json_t *o;
	int rc = 0;

	if (engine_start(&op->engine, name, err) < 0 || !(o = engine_inspect(&op->engine, name, err)))
		return err->code;
	pid = pst_json_int(json_object_get(o, "State"), "Pid", 2, INT32_MAX, 0);
	if (!pst_json_bool(json_object_get(o, "State"), "Running", false))
		rc = start_failed(op, name, o, err);
	else if (pid)
		real = process_uid(pid);
	json_decref(o);
	if (rc < 0)
		return rc;
	/* The gateway and the broker know an agent by its uid, so an engine that maps uids would mix desktops up. */
	if (real != (int64_t)uid)
		return pst_err_set(err, PST_EUNSUPPORTED,
			"the engine runs the desktop as uid %lld of this host and not %u: it must be one of this host, run by root and without user namespaces",
			(long long)real, (unsigned)uid);
	return 0;
}
