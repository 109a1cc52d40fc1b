/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datastores and jobs on images between the provisioner's connection, the audit and the live lists. */
#include "broker/control/control_priv.h"

#include "base/json.h"
#include "base/log.h"
#include "broker/core/state.h"
#include "broker/recycling.h"
#include "broker/storage/backup_jobs.h"
#include "broker/storage/datastores.h"
#include "broker/storage/image_jobs.h"
#include "broker/storage/personal_removals.h"

#include <stdlib.h>
#include <string.h>

static int op_audit(void *arg, const struct core_actor *by, const char *kind, const char *object_kind, const char *object_id, json_t *detail,
	struct pst_err *err)
{
	char *text = detail ? pst_json_text(detail, NULL) : NULL;
	struct audit_entry entry = {.actor = by, .kind = kind, .object_kind = object_kind, .object_id = object_id, .detail = text};
	int rc = control_audit(arg, &entry, err);

	free(text);
	json_decref(detail);
	return rc;
}

static void op_changed(void *arg, const char *kind, const char *id)
{
	struct control *c = arg;

	if (c->api)
		api_changed(c->api, kind, id);
}

static void op_images_changed(void *arg)
{
	struct control *c = arg;
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_config_changed(c->rec, &err) < 0)
		pst_warn("the versions of images were not read anew: %s", err.text);
}

static int op_restore(void *arg, const struct recycled_row *was, struct pst_err *err)
{
	static const struct core_actor itself = {.kind = "system"};
	struct control *c = arg;

	return reconciler_restore(c->rec, was, &itself, err);
}

static bool op_can_back_up(void *arg, const char *desktop_id)
{
	struct control *c = arg;
	const struct core_state *st = reconciler_state(c->rec);
	const struct core_desktop *d = state_desktop(st, desktop_id);

	return d && desktop_carries(st, d, "backup");
}

static const struct storage_ops ops = {
	.ask = provisioner_ask,
	.audit = op_audit,
	.changed = op_changed,
	.restore = op_restore,
	.can_back_up = op_can_back_up,
	.images_changed = op_images_changed,
};

int storage_open(struct control *c, struct pst_err *err)
{
	c->datastores = datastores_create(c->db, &ops, c, err);
	if (!c->datastores)
		return err->code;
	c->image_jobs = image_jobs_create(c->loop, c->db, &ops, c, err);
	c->removals = c->image_jobs ? personal_removals_create(c->loop, c->db, &ops, c, err) : NULL;
	c->backup_jobs = c->removals ? backup_jobs_create(c->loop, c->db, &ops, c, err) : NULL;
	return c->backup_jobs ? 0 : err->code;
}

/* The first message after its hello is "datastores": from then on it takes jobs. */
bool storage_message(struct control *c, const char *op, const json_t *msg)
{
	struct pst_err err = PST_ERR_INIT;

	if (strcmp(op, "datastores") == 0) {
		if (datastores_told(c->datastores, msg, &err) < 0)
			pst_warn("what the provisioner tells of its datastores was not taken: %s", err.text);
		image_jobs_connected(c->image_jobs);
		personal_removals_connected(c->removals);
		backup_jobs_connected(c->backup_jobs);
		return true;
	}
	if (strcmp(op, "backup") == 0) {
		if (backup_jobs_told(c->backup_jobs, msg, &err) < 0)
			pst_warn("what the provisioner tells of a back-up was not taken: %s", err.text);
		return true;
	}
	if (strcmp(op, "image") != 0)
		return false;
	if (image_jobs_told(c->image_jobs, msg, &err) < 0)
		pst_warn("what the provisioner tells of a job on an image was not taken: %s", err.text);
	return true;
}

void storage_gone(struct control *c)
{
	datastores_gone(c->datastores);
	image_jobs_gone(c->image_jobs);
	personal_removals_gone(c->removals);
	backup_jobs_gone(c->backup_jobs);
}

void storage_close(struct control *c)
{
	backup_jobs_destroy(c->backup_jobs);
	personal_removals_destroy(c->removals);
	image_jobs_destroy(c->image_jobs);
	datastores_destroy(c->datastores);
}
