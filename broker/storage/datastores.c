/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports, wishes and alarms of datastores. */
#include "broker/storage/datastores.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/core/axes.h"
#include "broker/storage/forecast.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_MAX 300

struct entry {
	struct datastore_row row;
	json_t *report; /* owned, or NULL */
	bool is_in;     /* the last report had it */
	struct forecast forecast;
	int64_t full_s; /* -1: nobody knows */
};

struct datastores {
	struct db *db;
	const struct storage_ops *ops;
	void *arg;
	struct entry entries[DATASTORES_MAX];
	size_t n;
	bool is_connected;
};

/* --- the list ---------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->row.name, ((const struct entry *)b)->row.name);
}

static struct entry *find(const struct datastores *ds, const char *id_or_name)
{
	for (size_t i = 0; i < ds->n; i++) {
		if (strcmp(ds->entries[i].row.id, id_or_name) == 0 || strcmp(ds->entries[i].row.name, id_or_name) == 0)
			return (struct entry *)&ds->entries[i];
	}
	return NULL;
}

static void load_one(const struct datastore_row *d, void *arg)
{
	struct datastores *ds = arg;

	if (ds->n < DATASTORES_MAX)
		ds->entries[ds->n++] = (struct entry){.row = *d, .full_s = -1};
}

static void load_sample(int64_t at, int64_t used, void *arg)
{
	struct entry *e = arg;

	forecast_add(&e->forecast, at, used);
}

static int load(struct datastores *ds, struct pst_err *err)
{
	int rc = db_datastore_each(ds->db, load_one, ds, err);

	for (size_t i = 0; i < ds->n && rc == 0; i++)
		rc = db_datastore_sample_each(ds->db, ds->entries[i].row.id, load_sample, &ds->entries[i], err);
	return rc;
}

struct datastores *datastores_create(struct db *db, const struct storage_ops *ops, void *arg, struct pst_err *err)
{
	struct datastores *ds = pst_zalloc(1, sizeof(*ds));

	if (!ds) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	ds->db = db;
	ds->ops = ops;
	ds->arg = arg;
	if (load(ds, err) == 0)
		return ds;
	datastores_destroy(ds);
	return NULL;
}

void datastores_destroy(struct datastores *ds)
{
	if (!ds)
		return;
	for (size_t i = 0; i < ds->n; i++)
		json_decref(ds->entries[i].report);
	free(ds);
}

/* --- alarms -------------------------------------------------------------------------- */

static const char *text_of(const json_t *report, const char *key)
{
	const char *s = report ? pst_json_str(report, key, 4096) : NULL;

	return s ? s : "";
}

static int64_t number_of(const json_t *report, const char *key)
{
	return report ? pst_json_int(report, key, 0, INT64_MAX, 0) : 0;
}

/* The word for the row. */
static const char *told_of(const json_t *report)
{
	const char *level = text_of(report, "level");

	if (!pst_json_bool(report, "online", false))
		return "offline";
	return strcmp(level, "critical") == 0 || strcmp(level, "warning") == 0 ? level : "calm";
}

static int percent_of(const json_t *report)
{
	int64_t total = number_of(report, "total"), used = number_of(report, "used");

	return total > 0 ? (int)((long double)used * 100 / (long double)total) : 0;
}

/* A new one that is well is no alarm, and "calm" is one only as the end of another. */
static bool is_alarm(const struct entry *e, const char *told)
{
	return strcmp(e->row.told, told) != 0 && (e->row.told[0] || strcmp(told, "calm") != 0);
}

static int alarm_write(struct datastores *ds, struct entry *e, const char *told, const json_t *report, struct pst_err *err)
{
	char kind[40];
	json_t *detail = json_pack("{s:s, s:i, s:I}", "datastore", e->row.name, "used_percent", percent_of(report), "free_mb",
		(json_int_t)(number_of(report, "free") >> 20));

	if (strcmp(told, "offline") == 0)
		json_object_set_new(detail, "reason", json_stringn(text_of(report, "reason"), strnlen(text_of(report, "reason"), REASON_MAX)));
	snprintf(kind, sizeof(kind), "datastore.%s", told);
	return ds->ops->audit(ds->arg, NULL, kind, "datastore", e->row.id, detail, err);
}

/* What is critical already is told as that. */
static bool is_filling(const struct entry *e, const char *told, int64_t full_s)
{
	return (strcmp(told, "calm") == 0 || strcmp(told, "warning") == 0) && forecast_is_alarm(full_s, e->row.filling);
}

static int filling_write(struct datastores *ds, struct entry *e, const json_t *report, int64_t full_s, struct pst_err *err)
{
	json_t *detail = json_pack("{s:s, s:i, s:I, s:I}", "datastore", e->row.name, "used_percent", percent_of(report), "free_mb",
		(json_int_t)(number_of(report, "free") >> 20), "full_in_s", (json_int_t)full_s);

	return ds->ops->audit(ds->arg, NULL, "datastore.filling", "datastore", e->row.id, detail, err);
}

/* What is known of its pace from now on; the row of a sample is written with it. */
static int pace_write(struct datastores *ds, struct entry *e, const json_t *report, struct forecast *ret, struct pst_err *err)
{
	int64_t now = pst_wall_ms(), used = number_of(report, "used");

	*ret = e->forecast;
	if (!pst_json_bool(report, "online", false) || number_of(report, "total") <= 0 || !forecast_add(ret, now, used))
		return 0;
	return db_datastore_sample_add(ds->db, e->row.id, now, used, now - FORECAST_WEEK_MS, err);
}

static int tell_write(struct datastores *ds, struct entry *e, const json_t *report, struct pst_err *err)
{
	struct datastore_row row = e->row;
	const char *told = told_of(report);
	struct forecast forecast;
	int64_t full_s;
	int rc = db_begin(ds->db, err);

	if (rc < 0)
		return rc;
	rc = pace_write(ds, e, report, &forecast, err);
	full_s = strcmp(told, "offline") == 0 ? -1 : forecast_full_s(&forecast, number_of(report, "free"));
	row.filling = is_filling(e, told, full_s);
	if (rc == 0 && row.filling && !e->row.filling)
		rc = filling_write(ds, e, report, full_s, err);
	if (rc == 0 && is_alarm(e, told))
		rc = alarm_write(ds, e, told, report, err);
	pst_strlcpy(row.told, sizeof(row.told), told);
	row.seen = pst_wall_ms();
	if (rc == 0)
		rc = db_datastore_tell(ds->db, &row, err);
	if (rc == 0)
		rc = db_commit(ds->db, err);
	if (rc < 0) {
		db_rollback(ds->db);
		return rc;
	}
	e->row = row;
	e->forecast = forecast;
	e->full_s = full_s;
	return 0;
}

/* --- reports --------------------------------------------------------------------------- */

static struct entry *entry_make(struct datastores *ds, const char *name, struct pst_err *err)
{
	struct datastore_row row = {.created = pst_wall_ms()};
	struct pst_uuid id = pst_uuid_make();

	if (ds->n == DATASTORES_MAX) {
		pst_err_set(err, PST_ELIMIT, "more than %d datastores: delete those that are no more", DATASTORES_MAX);
		return NULL;
	}
	pst_uuid_text(&id, row.id);
	pst_strlcpy(row.name, sizeof(row.name), name);
	row.updated = row.created;
	row.rev = 1;
	if (db_datastore_insert(ds->db, &row, err) < 0)
		return NULL;
	ds->entries[ds->n] = (struct entry){.row = row, .full_s = -1};
	ds->n++;
	qsort(ds->entries, ds->n, sizeof(ds->entries[0]), by_name);
	return find(ds, name);
}

static void refused(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct pst_err err = PST_ERR_INIT;

	pst_fd_close(&fd);
	if (reply && pst_ctl_reply_check(reply, call_err, &err) < 0)
		pst_warn("the provisioner does not take what was set of a datastore: %s", err.text);
}

static void wish_send(struct datastores *ds, const struct datastore_row *row)
{
	ds->ops->ask(ds->arg, json_pack("{s:s, s:s, s:b, s:i, s:i}", "op", "datastore", "name", row->name, "maintenance", (int)row->maintenance,
		"warning", row->warning, "critical", row->critical), refused, NULL);
}

static bool differs(const struct datastore_row *row, const json_t *report)
{
	return pst_json_bool(report, "maintenance", false) != row->maintenance ||
		(row->warning && (number_of(report, "warning") != row->warning || number_of(report, "critical") != row->critical));
}

static int report_take(struct datastores *ds, const json_t *report, struct pst_err *err)
{
	const char *name = pst_json_str(report, "name", sizeof(((struct datastore_row *)0)->name) - 2);
	struct entry *e = name && *name ? find(ds, name) : NULL;

	if (!name || !*name)
		return pst_err_set(err, PST_EPROTO, "a datastore without a name");
	if (!e)
		e = entry_make(ds, name, err);
	if (!e)
		return err->code;
	if (tell_write(ds, e, report, err) < 0)
		return err->code;
	json_decref(e->report);
	e->report = json_incref((json_t *)(uintptr_t)report);
	e->is_in = true;
	if (differs(&e->row, report))
		wish_send(ds, &e->row);
	ds->ops->changed(ds->arg, "datastore", e->row.id);
	return 0;
}

int datastores_told(struct datastores *ds, const json_t *msg, struct pst_err *err)
{
	json_t *list = json_object_get(msg, "datastores"), *report;
	size_t i;
	int rc = 0;

	if (!json_is_array(list) || json_array_size(list) > DATASTORES_MAX)
		return pst_err_set(err, PST_EPROTO, "the provisioner's datastores are no list, or more than %d", DATASTORES_MAX);
	ds->is_connected = true;
	for (i = 0; i < ds->n; i++)
		ds->entries[i].is_in = false;
	json_array_foreach(list, i, report) {
		if (rc == 0)
			rc = report_take(ds, report, err);
	}
	return rc;
}

void datastores_gone(struct datastores *ds)
{
	ds->is_connected = false;
	for (size_t i = 0; i < ds->n; i++)
		ds->ops->changed(ds->arg, "datastore", ds->entries[i].row.id);
}

void datastores_reload(struct datastores *ds, const char *id)
{
	struct entry *e = find(ds, id);
	struct pst_err err = PST_ERR_INIT;
	struct datastore_row row;
	int rc;

	if (!e)
		return;
	rc = db_datastore_get(ds->db, id, &row, &err);
	if (rc == PST_ENOTFOUND) {
		json_decref(e->report);
		ds->n--;
		memmove(e, e + 1, (size_t)(&ds->entries[ds->n] - e) * sizeof(*e));
	} else if (rc == 0) {
		e->row = row;
		wish_send(ds, &row);
	}
	ds->ops->changed(ds->arg, "datastore", id);
}

/* --- for whoever shows it ----------------------------------------------------------------- */

static const char *state_of(const struct datastores *ds, const struct entry *e, const struct datastore_view *v)
{
	const char *level = text_of(e->report, "level");

	if (!ds->is_connected || !e->is_in)
		return "unknown";
	if (!v->is_online)
		return "offline";
	if (e->row.maintenance)
		return "maintenance";
	if (strcmp(level, "critical") == 0)
		return "full";
	return strcmp(level, "warning") == 0 ? "warning" : "ready";
}

/* "81 % full, 40 GB left": the same words in both languages but for one. */
static void room_put(const struct datastore_view *v, char *en, char *es, size_t size)
{
	bool is_large = v->free >= INT64_C(10) << 30;
	long long left = v->free >> (is_large ? 30 : 20);
	int percent = percent_of(v->report);

	snprintf(en, size, "%d %% full, %lld %s left", percent, left, is_large ? "GB" : "MB");
	snprintf(es, size, "%d %% ocupado, quedan %lld %s", percent, left, is_large ? "GB" : "MB");
}

static const struct {
	const char *state, *en, *es;
} sentences[] = {
	{"ready", "%s.", "%s."},
	{"warning", "%s: make room soon.", "%s: libere espacio pronto."},
	{"full", "%s: nothing new is placed here until there is room.", "%s: no se coloca nada nuevo aquí hasta que haya espacio."},
	{"maintenance", "Under maintenance: nothing new is placed here. %s.", "En mantenimiento: no se coloca nada nuevo aquí. %s."},
	{"offline", "It cannot be reached: %s", "No se puede acceder a él: %s"},
	{"unknown", "The provisioner does not tell of it now.%s", "El aprovisionador no informa de él ahora.%s"},
};

/* When it will be full, where that is soon enough to be worth a sentence. */
static void words_add(struct datastore_view *v)
{
	char en[FORECAST_WORDS_SIZE], es[FORECAST_WORDS_SIZE];
	size_t at_en = strlen(v->en), at_es = strlen(v->es);

	forecast_words(v->full_s, en, es);
	if (!en[0])
		return;
	snprintf(v->en + at_en, sizeof(v->en) - at_en, " %s", en);
	snprintf(v->es + at_es, sizeof(v->es) - at_es, " %s", es);
}

static void view_words(struct datastore_view *v)
{
	char en[REASON_MAX + 1] = "", es[REASON_MAX + 1] = "";

	if (strcmp(v->state, "offline") == 0) {
		snprintf(en, sizeof(en), "%s", text_of(v->report, "reason"));
		snprintf(es, sizeof(es), "%s", en);
	} else if (strcmp(v->state, "unknown") != 0) {
		room_put(v, en, es, sizeof(en));
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(sentences); i++) {
		if (strcmp(sentences[i].state, v->state) != 0)
			continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(v->en, sizeof(v->en), sentences[i].en, en);
		snprintf(v->es, sizeof(v->es), sentences[i].es, es);
#pragma GCC diagnostic pop
	}
	if (strcmp(v->state, "ready") == 0 || strcmp(v->state, "warning") == 0)
		words_add(v);
	if (strcmp(v->state, "ready") == 0 && v->row->filling)
		pst_strlcpy(v->reason_code, sizeof(v->reason_code), "datastore_filling");
	else if (strcmp(v->state, "ready") != 0)
		snprintf(v->reason_code, sizeof(v->reason_code), "datastore_%s", v->state);
}

static void view_fill(const struct datastores *ds, const struct entry *e, struct datastore_view *ret)
{
	*ret = (struct datastore_view){.row = &e->row, .report = e->report, .is_known = ds->is_connected && e->is_in,
		.is_online = e->report && pst_json_bool(e->report, "online", false),
		.takes_images = e->report && pst_json_bool(e->report, "images", false), .total = number_of(e->report, "total"),
		.free = number_of(e->report, "free"), .used = number_of(e->report, "used"), .full_s = e->full_s};
	ret->state = state_of(ds, e, ret);
	view_words(ret);
}

bool datastores_view(const struct datastores *ds, const char *id_or_name, struct datastore_view *ret)
{
	const struct entry *e = find(ds, id_or_name);

	if (e)
		view_fill(ds, e, ret);
	return e;
}

bool datastores_view_at(const struct datastores *ds, size_t index, struct datastore_view *ret)
{
	if (index >= ds->n)
		return false;
	view_fill(ds, &ds->entries[index], ret);
	return true;
}
