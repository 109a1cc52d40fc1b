/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pools: making and changing them. */
#include "broker/api/pools.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/api/fields.h"
#include "broker/core/state.h"
#include "broker/reconciler.h"
#include "db/backup.h"
#include "broker/storage/datastores.h"
#include "db/image.h"
#include "db/personal.h"
#include "db/provider.h"
#include "db/recycle.h"

#include <string.h>

#define SECONDS_MAX 31536000
#define SIZE_MAX_DESKTOPS 10000
#define NETWORK_SIZE 64 /* with its end, as the database has it */

static const char *const kind_words[] = {"floating", "dedicated", NULL};
static const char *const logoff_words[] = {"delete", "refresh", "keep", NULL};

/* The body: the row, and what it names by reference. */
struct body {
	struct pool_row row;
	char provider[257], image[257];
	json_t *spec;
	int recycle_days;
	int personal_mb;
	char personal_store[DB_WORD_SIZE];
	struct backup_wish backup;
};

#define ROW(member) FIELD(struct body, row.member)

static const char *const display_words[] = {"image", "rdp", NULL};
static const char *const watching_words[] = {"off", "announced", NULL};

static const struct field fields[] = {
	{.name = "name", .kind = FIELD_SLUG, ROW(name)},
	{.name = "display_name", .kind = FIELD_LABEL, ROW(display_name)},
	{.name = "description", .kind = FIELD_TEXT, ROW(description), .max = 1000},
	{.name = "kind", .kind = FIELD_WORD, ROW(kind), .words = kind_words},
	{.name = "provider", .kind = FIELD_REF, FIELD(struct body, provider)},
	{.name = "image", .kind = FIELD_REF, FIELD(struct body, image)},
	{.name = "image_version", .kind = FIELD_SLUG, ROW(image_version)},
	{.name = "min", .kind = FIELD_INT, ROW(min), .max = SIZE_MAX_DESKTOPS},
	{.name = "max", .kind = FIELD_INT, ROW(max), .max = SIZE_MAX_DESKTOPS},
	{.name = "spare", .kind = FIELD_INT, ROW(spare), .max = SIZE_MAX_DESKTOPS},
	{.name = "spare_suspended", .kind = FIELD_INT, ROW(spare_suspended), .max = SIZE_MAX_DESKTOPS},
	{.name = "on_logoff", .kind = FIELD_WORD, ROW(on_logoff), .words = logoff_words},
	{.name = "idle_disconnect_s", .kind = FIELD_INT, ROW(idle_disconnect_s), .max = SECONDS_MAX},
	{.name = "logoff_after_disconnect_s", .kind = FIELD_INT, ROW(logoff_after_disconnect_s), .max = SECONDS_MAX},
	{.name = "spec", .kind = FIELD_OBJECT, FIELD(struct body, spec)},
	{.name = "clipboard_in", .kind = FIELD_BOOL, ROW(clipboard_in)},
	{.name = "clipboard_out", .kind = FIELD_BOOL, ROW(clipboard_out)},
	{.name = "watching", .kind = FIELD_WORD, ROW(watching), .words = watching_words},
	{.name = "user_snapshots", .kind = FIELD_INT, ROW(user_snapshots), .max = 32},
	{.name = "recycle_days", .kind = FIELD_INT, FIELD(struct body, recycle_days), .min = -1, .max = DB_RECYCLE_DAYS_MAX},
	{.name = "personal_disk_mb", .kind = FIELD_INT, FIELD(struct body, personal_mb), .max = 67108864},
	{.name = "personal_datastore", .kind = FIELD_LABEL, FIELD(struct body, personal_store)},
	{.name = "backup_every_h", .kind = FIELD_INT, FIELD(struct body, backup.every_h), .max = 720},
	{.name = "backup_full_every_d", .kind = FIELD_INT, FIELD(struct body, backup.full_every_d), .min = 1, .max = 365},
	{.name = "backup_keep_d", .kind = FIELD_INT, FIELD(struct body, backup.keep_d), .min = 1, .max = 3650},
	{.name = "backup_chain", .kind = FIELD_INT, FIELD(struct body, backup.chain), .min = 1, .max = 100},
	{.name = "enabled", .kind = FIELD_BOOL, ROW(enabled)},
	{.name = "drain", .kind = FIELD_BOOL, ROW(drain)},
	{.name = "maintenance", .kind = FIELD_BOOL, ROW(maintenance)},
};

#define SPEC(member) FIELD(struct pool_row, member)

static const struct field spec_fields[] = {
	{.name = "memory_mb", .kind = FIELD_INT, SPEC(memory_mb), .max = 16777216},
	{.name = "cpus", .kind = FIELD_INT, SPEC(cpus), .max = 1024},
	{.name = "pids", .kind = FIELD_INT, SPEC(pids), .max = 4194304},
	{.name = "disk_mb", .kind = FIELD_INT, SPEC(disk_mb), .max = 67108864},
	{.name = "network", .kind = FIELD_SLUG, .size = NETWORK_SIZE, .offset = offsetof(struct pool_row, network)},
	{.name = "max_width", .kind = FIELD_INT, SPEC(max_width), .min = 320, .max = 8192},
	{.name = "max_height", .kind = FIELD_INT, SPEC(max_height), .min = 200, .max = 8192},
	{.name = "locale", .kind = FIELD_LABEL, SPEC(locale)},
	{.name = "layout", .kind = FIELD_LABEL, SPEC(layout)},
	{.name = "display", .kind = FIELD_WORD, SPEC(display), .words = display_words},
};

static void defaults(struct pool_row *p)
{
	*p = (struct pool_row){.max = 1, .max_width = 3840, .max_height = 2160, .clipboard_in = true,
		.clipboard_out = true, .enabled = true};
	pst_strlcpy(p->kind, sizeof(p->kind), "floating");
	pst_strlcpy(p->on_logoff, sizeof(p->on_logoff), "refresh");
	pst_strlcpy(p->image_version, sizeof(p->image_version), "latest");
	pst_strlcpy(p->network, sizeof(p->network), "host");
	pst_strlcpy(p->watching, sizeof(p->watching), "off");
	pst_strlcpy(p->display, sizeof(p->display), "image");
}

static int resolve_provider(struct api_call *call, struct body *b)
{
	struct pst_err err = PST_ERR_INIT;
	struct provider_row provider;

	if (!b->provider[0])
		return 0;
	int rc = db_provider_get(call->api->db, b->provider, &provider, &err);
	if (rc < 0) {
		call_field(call, "provider", "provider: %s", err.text);
		return rc;
	}
	pst_strlcpy(b->row.provider_id, sizeof(b->row.provider_id), provider.id);
	return 0;
}

static int resolve_image(struct api_call *call, struct body *b)
{
	struct pst_err err = PST_ERR_INIT;
	struct version_row version;
	struct image_row image;

	if (b->image[0]) {
		if (db_image_get(call->api->db, b->image, &image, &err) < 0) {
			call_field(call, "image", "image: %s", err.text);
			return PST_ENOTFOUND;
		}
		pst_strlcpy(b->row.image_id, sizeof(b->row.image_id), image.id);
	}
	if (strcmp(b->row.image_version, "latest") == 0)
		return 0;
	int rc = db_version_get(call->api->db, b->row.image_id, b->row.image_version, &version, &err);
	if (rc < 0)
		call_field(call, "image_version", "image_version: %s", err.text);
	return rc;
}

/* "host", "none", or a network that the provider has told of. */
static int check_network(struct api_call *call, const struct body *b)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_provider *pr = state_provider(st, b->row.provider_id);

	if (strcmp(b->row.network, "host") == 0 || strcmp(b->row.network, "none") == 0 || !pr || !pr->healthy ||
		state_network(st, pr->name, b->row.network))
		return 0;
	call_field(call, "spec.network", "spec.network: provider %s has no network '%s'", pr->name, b->row.network);
	return PST_EINVAL;
}

/* Disks do not move: their users would find an empty home, and nobody would find the old ones any more. */
static int check_personal_stays(struct api_call *call, const struct body *b)
{
	struct pst_err err = PST_ERR_INIT;
	int64_t n = 0;

	if (!json_object_get(call->body, "provider"))
		return 0;
	if (db_personal_elsewhere(call->api->db, b->row.id, b->row.provider_id, &n, &err) < 0)
		call_error(call, &err);
	else if (n > 0)
		call_field(call, "provider", "provider: %lld personal disks of this pool lie with another provider: remove them first, or make another pool",
			(long long)n);
	return call_is_answered(call) ? PST_EINVAL : 0;
}

/* Nobody there would mount a disk: Windows has another agent, and who is shown by RDP has none. */
static bool is_shown_by_rdp(struct api_call *call, const struct body *b)
{
	struct image_row image;

	return strcmp(b->row.display, "rdp") == 0 || (db_image_get(call->api->db, b->row.image_id, &image, NULL) == 0 && strcmp(image.os, "windows") == 0);
}

/* Only where a desktop is given back and made new, by a provider that can; and on a datastore that there is. */
static int check_personal(struct api_call *call, const struct body *b)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_provider *pr = state_provider(st, b->row.provider_id);
	struct datastore_view v;

	if (b->personal_mb == 0)
		return 0;
	if (strcmp(b->row.kind, "floating") != 0 || strcmp(b->row.on_logoff, "keep") == 0)
		call_field(call, "personal_disk_mb", "personal_disk_mb: only floating pools whose desktops are made new or deleted at log-off have personal disks");
	else if (is_shown_by_rdp(call, b))
		call_field(call, "personal_disk_mb", "personal_disk_mb: desktops of Windows, and those that are shown by RDP, have no personal disks");
	else if (pr && pr->healthy && !provider_carries(st, pr, "personal"))
		call_field(call, "personal_disk_mb", "personal_disk_mb: provider %s does not carry personal disks", pr->name);
	else if (b->personal_store[0] && !datastores_view(call->api->datastores, b->personal_store, &v))
		call_field(call, "personal_datastore", "personal_datastore: there is no datastore '%s'", b->personal_store);
	return call_is_answered(call) ? PST_EINVAL : 0;
}

/* Where the provider is known, and does not carry it: nothing would ever be suspended. */
static int check_suspended(struct api_call *call, const struct body *b)
{
	const struct core_state *st = reconciler_state(call->api->rec);
	const struct core_provider *pr = state_provider(st, b->row.provider_id);
	bool is_asked = json_object_get(call->body, "spare_suspended") || json_object_get(call->body, "provider");

	if (!is_asked || !b->row.spare_suspended || !pr || !pr->healthy ||
		(provider_carries(st, pr, "suspend") && provider_carries(st, pr, "power")))
		return 0;
	call_field(call, "spare_suspended", "spare_suspended: provider %s cannot suspend desktops: give 0", pr->name);
	return PST_EUNSUPPORTED;
}

static int read_body(struct api_call *call, struct body *b)
{
	if (fields_read(call, call->body, "", fields, PST_ARRAY_LEN(fields), b, NULL) < 0 ||
		fields_read(call, b->spec, "spec.", spec_fields, PST_ARRAY_LEN(spec_fields), &b->row, NULL) < 0 ||
		resolve_provider(call, b) < 0 || resolve_image(call, b) < 0 || check_network(call, b) < 0 ||
		check_suspended(call, b) < 0 || check_personal(call, b) < 0 || check_personal_stays(call, b) < 0)
		return PST_EINVAL;
	if (b->row.min > b->row.max) {
		call_field(call, "min", "min: %d is more than max, which is %d", b->row.min, b->row.max);
		return PST_EINVAL;
	}
	return 0;
}

static bool has_required(struct api_call *call)
{
	static const char *const names[] = {"name", "provider", "image"};

	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
		if (!json_object_get(call->body, names[i])) {
			call_field(call, names[i], "%s: it is missing", names[i]);
			return false;
		}
	}
	return true;
}

/* The core reads the rows again; the pool stands whatever it says, so its error is only told. */
static void answer_changed(struct api_call *call, int status, const char *id)
{
	struct pst_err err = PST_ERR_INIT;

	if (reconciler_config_changed(call->api->rec, &err) < 0)
		call_error(call, &err);
	else
		pool_answer(call, status, id);
}

/* Only where they were given. */
static int extras_write(struct api_call *call, const struct body *b, struct pst_err *err)
{
	if (db_personal_settings_set(call->api->db, b->row.id, b->personal_mb, b->personal_store, err) < 0)
		return err->code;
	if (json_object_get(call->body, "recycle_days") && db_recycle_days_set(call->api->db, b->row.id, b->recycle_days, err) < 0)
		return err->code;
	return db_backup_wish_set(call->api->db, b->row.id, &b->backup, err);
}

void api_pool_create(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid id = pst_uuid_make();
	struct body b = {.backup = {.full_every_d = 7, .keep_d = 30, .chain = 14}};

	defaults(&b.row);
	if (!has_required(call) || read_body(call, &b) < 0 || write_begin(call) < 0)
		return;
	pst_uuid_text(&id, b.row.id);
	b.row.created = b.row.updated = pst_wall_ms();
	if (db_pool_insert(call->api->db, &b.row, &err) < 0 || extras_write(call, &b, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	if (write_commit(call, "pool.created", "pool", b.row.id, json_incref(call->body)) == 0)
		answer_changed(call, 201, b.row.id);
}

void api_pool_patch(struct api_call *call)
{
	struct pst_err err = PST_ERR_INIT;
	struct body b = {0};

	if (pool_find(call, call->params[0], &b.row) < 0 || !write_if_match(call, b.row.rev))
		return;
	if (db_personal_settings(call->api->db, b.row.id, &b.personal_mb, b.personal_store, &err) < 0 ||
		db_backup_wish_get(call->api->db, b.row.id, &b.backup, &err) < 0) {
		call_error(call, &err);
		return;
	}
	if (read_body(call, &b) < 0)
		return;
	if (b.row.deleting) {
		call_problem(call, "conflict", "the pool '%s' is being deleted", b.row.name);
		return;
	}
	if (write_begin(call) < 0)
		return;
	b.row.updated = pst_wall_ms();
	if (db_pool_update(call->api->db, &b.row, &err) < 0 || extras_write(call, &b, &err) < 0) {
		write_fail(call, &err);
		return;
	}
	json_t *detail = call->body ? json_incref(call->body) : NULL;
	if (write_commit(call, "pool.changed", "pool", b.row.id, detail) < 0)
		return;
	if (strcmp(b.row.watching, "announced") != 0)
		call->api->links->end_watchers(call->api->links_arg, b.row.id);
	answer_changed(call, 200, b.row.id);
}
