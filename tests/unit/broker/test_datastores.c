/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports, alarms and wishes of datastores. Covers: db/datastore.c */
#include "broker/storage/datastores.h"

#include "base/clock.h"
#include "base/err.h"
#include "broker/storage/forecast.h"
#include "db/datastore.h"
#include "tests/unit/broker/storage_world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct storage_world w;
static struct datastores *ds;

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	storage_world_open(&w);
	ds = datastores_create(w.db, &storage_world_ops, &w, &err);
	cr_assert(ds, "%s", err.text);
	w.is_connected = true;
}

static void drop(void)
{
	datastores_destroy(ds);
	storage_world_close(&w);
}

TestSuite(datastores, .init = make, .fini = drop);

static json_t *report(const char *name, bool online, const char *level, int used)
{
	return json_pack("{s:s, s:b, s:b, s:s, s:I, s:I, s:I, s:s, s:i, s:i, s:b}", "name", name, "online", (int)online, "maintenance", 0, "level", level,
		"total", (json_int_t)100 << 30, "used", (json_int_t)used << 30, "free", (json_int_t)(100 - used) << 30, "reason",
		online ? "" : "is it mounted?", "warning", 80, "critical", 92, "images", 1);
}

static void tell(json_t *a, json_t *b)
{
	struct pst_err err = PST_ERR_INIT;
	json_t *msg = json_pack("{s:[o]}", "datastores", a);

	if (b)
		json_array_append_new(json_object_get(msg, "datastores"), b);
	cr_assert_eq(datastores_told(ds, msg, &err), 0, "%s", err.text);
	json_decref(msg);
}

static void expect(const char *name, const char *state, const char *en, const char *es)
{
	struct datastore_view v;

	cr_assert(datastores_view(ds, name, &v));
	cr_expect_str_eq(v.state, state);
	cr_expect(strstr(v.en, en), "%s", v.en);
	cr_expect(strstr(v.es, es), "%s", v.es);
}

Test(datastores, each_level_is_told_once_and_its_end_too)
{
	tell(report("fast", true, "calm", 10), report("slow", true, "warning", 85));
	cr_expect_str_eq(storage_world_events(&w), "datastore.warning", "a new one that is well is no alarm");
	expect("fast", "ready", "10 % full, 90 GB left", "10 % ocupado, quedan 90 GB");
	expect("slow", "warning", "make room soon", "libere espacio");
	tell(report("fast", true, "calm", 11), report("slow", true, "warning", 86));
	tell(report("fast", false, "calm", 11), report("slow", true, "critical", 95));
	expect("fast", "offline", "is it mounted?", "No se puede");
	expect("slow", "full", "nothing new is placed", "no se coloca nada");
	tell(report("fast", true, "calm", 11), report("slow", true, "calm", 20));
	cr_expect_str_eq(storage_world_events(&w), "datastore.warning datastore.offline datastore.critical datastore.calm datastore.calm");
	cr_expect_gt(w.changes, 0);
}

Test(datastores, a_restarted_broker_does_not_tell_again)
{
	struct pst_err err = PST_ERR_INIT;

	tell(report("slow", true, "warning", 85), NULL);
	datastores_destroy(ds);
	ds = datastores_create(w.db, &storage_world_ops, &w, &err);
	expect("slow", "unknown", "does not tell", "no informa");
	tell(report("slow", true, "warning", 85), NULL);
	cr_expect_str_eq(storage_world_events(&w), "datastore.warning");
	datastores_gone(ds);
	expect("slow", "unknown", "does not tell", "no informa");
}

/* As if the broker had seen it grow for four days. */
static void grown(const char *name, int gb_a_day, int now_gb)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_row row;
	int64_t now = pst_wall_ms();

	cr_assert_eq(db_datastore_get(w.db, name, &row, &err), 0);
	for (int h = 96; h > 0; h -= 6)
		cr_assert_eq(db_datastore_sample_add(w.db, row.id, now - h * INT64_C(3600000), ((int64_t)now_gb << 30) - ((int64_t)gb_a_day << 30) * h / 24,
			now - FORECAST_WEEK_MS, &err), 0, "%s", err.text);
	datastores_destroy(ds);
	ds = datastores_create(w.db, &storage_world_ops, &w, &err);
	cr_assert(ds, "%s", err.text);
}

Test(datastores, one_that_will_be_full_soon_is_told_of_once)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_view v;

	tell(report("fast", true, "calm", 70), report("slow", true, "calm", 70));
	cr_assert(datastores_view(ds, "fast", &v));
	cr_expect_eq(v.full_s, -1, "nothing is known yet");
	grown("fast", 15, 70);
	grown("slow", 2, 70);
	tell(report("fast", true, "calm", 70), report("slow", true, "calm", 70));
	cr_expect_str_eq(storage_world_events(&w), "datastore.filling");
	expect("fast", "ready", "70 % full, 30 GB left. Full in about 2 days at the pace of the last week.", "Lleno en unos 2 días al ritmo de la última semana.");
	expect("slow", "ready", "Full in about 15 days", "unos 15 días");
	cr_assert(datastores_view(ds, "fast", &v));
	cr_expect_str_eq(v.reason_code, "datastore_filling");
	datastores_destroy(ds); /* a broker that begins anew */
	ds = datastores_create(w.db, &storage_world_ops, &w, &err);
	tell(report("fast", true, "calm", 70), report("slow", true, "calm", 70));
	cr_expect_str_eq(storage_world_events(&w), "datastore.filling", "once");
	tell(report("fast", true, "critical", 93), report("slow", true, "calm", 70));
	cr_expect_str_eq(storage_world_events(&w), "datastore.filling datastore.critical");
}

Test(datastores, what_was_set_is_told_until_it_is_so)
{
	struct pst_err err = PST_ERR_INIT;
	struct datastore_row row;
	struct datastore_view v;
	json_t *same;

	tell(report("fast", true, "calm", 10), NULL);
	cr_expect_eq(json_array_size(w.asked), 0);
	cr_assert_eq(db_datastore_get(w.db, "fast", &row, &err), 0);
	row.maintenance = true;
	row.warning = 50;
	row.critical = 60;
	cr_assert_eq(db_datastore_update(w.db, &row, &err), 0, "%s", err.text);
	datastores_reload(ds, row.id);
	cr_expect_str_eq(storage_world_asked(&w, "op"), "datastore");
	cr_expect_str_eq(storage_world_asked(&w, "name"), "fast");
	expect("fast", "maintenance", "Under maintenance", "En mantenimiento");
	tell(report("fast", true, "calm", 10), NULL);
	cr_expect_eq(json_array_size(w.asked), 2, "its report differs: it is told again");
	same = report("fast", true, "calm", 10);
	json_object_set_new(same, "maintenance", json_true());
	json_object_set_new(same, "warning", json_integer(50));
	json_object_set_new(same, "critical", json_integer(60));
	tell(same, NULL);
	cr_expect_eq(json_array_size(w.asked), 2);
	row.warning = 70;
	cr_expect_eq(db_datastore_update(w.db, &row, &err), PST_EINVAL, "the schema holds the order too");

	cr_assert_eq(db_datastore_delete(w.db, row.id, &err), 0);
	datastores_reload(ds, row.id);
	cr_expect(!datastores_view(ds, "fast", &v) && !datastores_view_at(ds, 0, &v));
}

Test(datastores, what_is_no_report_is_refused)
{
	static const char *const bad[] = {"{}", "{\"datastores\": 7}", "{\"datastores\": [{}]}", "{\"datastores\": [7]}"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		json_t *msg = json_loads(bad[i], 0, NULL);

		cr_expect_eq(datastores_told(ds, msg, &err), PST_EPROTO, "%s", bad[i]);
		json_decref(msg);
	}
}
