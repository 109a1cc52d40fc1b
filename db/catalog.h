/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an admin configures: rows of pools, providers, images and their versions, as the API
 * reads and writes them. What the core decides (health, deleting, desktops) is not written here.
 * "get" takes an id or a name. Lists go by name, those after `after` whose name holds `part`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct db;
struct pst_err;

struct pool_row {
	char id[37];
	char name[65], display_name[129], description[1025];
	char kind[16], on_logoff[16];
	char provider_id[37], provider_name[65]; /* the names are read, not written */
	char image_id[37], image_name[65], image_version[65];
	int min, max, spare, idle_disconnect_s, logoff_after_disconnect_s;
	int memory_mb, cpus, pids, max_width, max_height;
	char network[16], locale[65], layout[65];
	bool clipboard_in, clipboard_out, enabled, drain, maintenance, deleting;
	int64_t rev, created, updated;
};

struct provider_row {
	char id[37];
	char name[65], kind[65];
	char config[4096]; /* a JSON object */
	int capacity, max_creates;
	bool enabled, healthy;
	char reason_code[65], reason_en[320], reason_es[320];
	int64_t seen, rev, created, updated;
};

struct image_row {
	char id[37];
	char name[65], display_name[129], description[1025], os[65];
	char published[65]; /* "": none */
	int64_t rev, created, updated;
};

struct version_row {
	char id[37], image_id[37], version[65];
	char base[1025], path[1025], state[16], notes[1025];
	int64_t created, updated;
};

typedef void (*db_pool_visit)(const struct pool_row *p, void *arg);
typedef void (*db_provider_visit)(const struct provider_row *p, void *arg);
typedef void (*db_image_visit)(const struct image_row *i, void *arg);
typedef void (*db_version_visit)(const struct version_row *v, void *arg);

int db_catalog_pool(struct db *db, const char *id_or_name, struct pool_row *ret, struct pst_err *err);
int db_catalog_pool_insert(struct db *db, const struct pool_row *p, struct pst_err *err);
int db_catalog_pool_update(struct db *db, const struct pool_row *p, struct pst_err *err);
int db_catalog_pools(struct db *db, const char *after, const char *part, int limit, db_pool_visit visit, void *arg,
	struct pst_err *err);

int db_catalog_provider(struct db *db, const char *id_or_name, struct provider_row *ret, struct pst_err *err);
int db_catalog_provider_insert(struct db *db, const struct provider_row *p, struct pst_err *err);
int db_catalog_provider_update(struct db *db, const struct provider_row *p, struct pst_err *err);
int db_catalog_providers(struct db *db, const char *after, const char *part, int limit, db_provider_visit visit,
	void *arg, struct pst_err *err);
/* PST_EINVAL while pools or desktops name it. */
int db_catalog_provider_delete(struct db *db, const char *id, struct pst_err *err);

int db_catalog_image(struct db *db, const char *id_or_name, struct image_row *ret, struct pst_err *err);
int db_catalog_image_insert(struct db *db, const struct image_row *i, struct pst_err *err);
int db_catalog_image_update(struct db *db, const struct image_row *i, struct pst_err *err);
int db_catalog_images(struct db *db, const char *after, const char *part, int limit, db_image_visit visit, void *arg,
	struct pst_err *err);
int db_catalog_image_delete(struct db *db, const char *id, struct pst_err *err);

int db_catalog_version_insert(struct db *db, const struct version_row *v, struct pst_err *err);
int db_catalog_versions(struct db *db, const char *image_id, int limit, db_version_visit visit, void *arg,
	struct pst_err *err);
/* PST_ENOTFOUND. */
int db_catalog_version(struct db *db, const char *image_id, const char *version, struct version_row *ret,
	struct pst_err *err);
