/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers for people: tables by noun, an object line by line, problems as sentences. */
#include "broker/cli/ctl.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS_MAX 10
#define CELL_MAX 60
#define ROWS_MAX 100000

struct view {
	const char *noun;
	const char *columns[COLUMNS_MAX]; /* "counts.ready" looks inside; NULL ends */
};

static const struct view views[] = {
	{"pools", {"name", "state", "kind", "image", "counts.ready", "counts.suspended", "counts.connected", "counts.total", "max", "reason.en"}},
	{"desktops", {"name", "state", "pool", "user", "image_version", "agent", "hygiene", "placement.host", "reason.en"}},
	{"sessions", {"id", "user", "desktop", "protocol", "state", "remote", "started", "reason.en"}},
	{"images", {"name", "state", "published", "os", "updated", "reason.en"}},
	{"providers", {"name", "kind", "checked", "state", "capacity", "reported_capacity", "can", "reason.en"}},
	{"datastores", {"name", "state", "disks", "working", "waiting", "reason.en"}},
	{"backups", {"id", "desktop", "user", "state", "kind", "made", "bytes", "reason", "job.error"}},
	{"recycled", {"kind", "name", "user", "pool", "until", "can_restore", "id", "datastore", "token"}},
	{"personal", {"user", "pool", "size_mb", "state", "desktop", "used", "reason.en"}},
	{"users", {"name", "role", "state", "display_name", "last_login", "last_remote"}},
	{"groups", {"name", "display_name", "member_count"}},
	{"entitlements", {"id", "pool", "user", "group", "created"}},
	{"tokens", {"id", "name", "created", "last_used", "expires"}},
	{"snapshots", {"name", "by", "created"}},
	{"hosts", {"name", "state", "processors", "memory_mb", "free_mb", "machines", "desktops", "maintenance.moved", "reason.en"}},
	{"networks", {"name", "kind", "about", "peers"}},
	{"events", {"seq", "time", "kind", "actor.name", "object.kind", "object.id"}},
	{"checks", {"check", "ok", "en"}},
	{"problems", {"severity", "kind", "name", "state", "reason.en"}},
	{"versions", {"version", "state", "job.step", "job.percent", "files.datastore", "base", "created"}},
	{"gateways", {"name", "connected", "sessions"}},
};

void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static const json_t *look(const json_t *o, const char *path)
{
	char key[64];
	size_t len = strcspn(path, ".");

	snprintf(key, sizeof(key), "%.*s", (int)len, path);
	o = json_object_get(o, key);
	return path[len] && o ? look(o, path + len + 1) : o;
}

/* Control characters from names must not reach a terminal. */
static void put_safe(struct pst_buf *b, const char *text)
{
	for (; *text; text++) {
		char c = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;

		pst_buf_append(b, &c, 1);
	}
}

/* Words as they are; of anything else how many there are. */
static void put_array(struct pst_buf *b, const json_t *v)
{
	json_t *o;
	size_t i;

	json_array_foreach(v, i, o) {
		if (!json_is_string(o)) {
			pst_buf_printf(b, "%zu", json_array_size(v));
			return;
		}
		pst_buf_put_str(b, i ? " " : "");
		put_safe(b, json_string_value(o));
	}
}

static void cell_text(const json_t *v, char *out, size_t out_size)
{
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	if (json_is_string(v))
		put_safe(&b, json_string_value(v));
	else if (json_is_integer(v))
		pst_buf_printf(&b, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		pst_buf_put_str(&b, json_is_true(v) ? "yes" : "no");
	else if (json_is_object(v) && json_object_get(v, "name"))
		put_safe(&b, json_string_value(json_object_get(v, "name")));
	else if (json_is_array(v))
		put_array(&b, v);
	const char *text = pst_buf_cstr(&b);
	pst_strlcpy(out, out_size, text && *text ? text : "-");
	pst_buf_finish(&b);
}

/* Characters, not bytes: names have accents. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void print_cell(const char *text, size_t width, bool is_last)
{
	fputs(text, stdout);
	for (size_t n = width_of(text); !is_last && n < width + 2; n++)
		putchar(' ');
}

static const struct view *view_of(const char *noun)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(views); i++) {
		if (strcmp(views[i].noun, noun) == 0)
			return &views[i];
	}
	return NULL;
}

static void title_of(const char *column, char *out, size_t out_size)
{
	const char *dot = strrchr(column, '.');
	const char *word = dot && strcmp(dot, ".en") != 0 && strcmp(dot, ".name") != 0 ? dot + 1 : column;

	snprintf(out, out_size, "%.*s", (int)strcspn(word, "."), word);
	for (; *out; out++)
		*out = *out == '_' ? ' ' : (char)(*out >= 'a' && *out <= 'z' ? *out - 32 : *out);
}

void print_list(const char *noun, const json_t *items)
{
	const struct view *v = view_of(noun);
	size_t widths[COLUMNS_MAX] = {0}, count = 0, row;
	char text[512];
	json_t *o;

	if (!v) {
		print_json(items);
		return;
	}
	for (; count < COLUMNS_MAX && v->columns[count]; count++) {
		title_of(v->columns[count], text, sizeof(text));
		widths[count] = width_of(text);
		json_array_foreach(items, row, o) {
			cell_text(look(o, v->columns[count]), text, sizeof(text));
			widths[count] = PST_MIN(PST_MAX(widths[count], width_of(text)), (size_t)CELL_MAX);
		}
	}
	for (size_t i = 0; i < count; i++) {
		title_of(v->columns[i], text, sizeof(text));
		print_cell(text, widths[i], i + 1 == count);
	}
	putchar('\n');
	json_array_foreach(items, row, o) {
		for (size_t i = 0; i < count; i++) {
			cell_text(look(o, v->columns[i]), text, sizeof(text));
			print_cell(text, widths[i], i + 1 == count);
		}
		putchar('\n');
	}
}

static void print_field(const char *prefix, const char *key, const json_t *v)
{
	char text[1100], name[128];
	const char *inner;
	json_t *child;

	snprintf(name, sizeof(name), "%s%s", prefix, key);
	if (json_is_object(v) && !json_object_get(v, "name")) {
		char next[160];

		snprintf(next, sizeof(next), "%s.", name);
		json_object_foreach((json_t *)(uintptr_t)v, inner, child)
			print_field(next, inner, child);
		return;
	}
	cell_text(v, text, sizeof(text));
	printf("%-28s %s\n", name, text);
}

void print_object(const char *noun, const json_t *object)
{
	const char *key;
	json_t *v;

	(void)noun;
	json_object_foreach((json_t *)(uintptr_t)object, key, v) {
		if (!json_is_array(v) || strcmp(key, "roles") == 0)
			print_field("", key, v);
	}
	json_object_foreach((json_t *)(uintptr_t)object, key, v) {
		const char *list = strcmp(key, "timeline") == 0 ? "events" : key;

		if (!json_is_array(v) || json_array_size(v) == 0 || strcmp(key, "roles") == 0)
			continue;
		printf("\n%s:\n", key);
		if (strcmp(key, "members") == 0)
			list = "groups";
		print_list(list, v);
	}
}

void print_event(const json_t *e)
{
	char seq[32], time[64], kind[80], actor[300], object[128];

	cell_text(look(e, "seq"), seq, sizeof(seq));
	cell_text(look(e, "time"), time, sizeof(time));
	cell_text(look(e, "kind"), kind, sizeof(kind));
	cell_text(look(e, "actor.name"), actor, sizeof(actor));
	cell_text(look(e, "object.id"), object, sizeof(object));
	char *detail = json_dumps(look(e, "detail"), JSON_COMPACT);
	printf("%s  %s  %-24s %-16s %s %s\n", seq, time, kind, actor, object, detail ? detail : "");
	free(detail);
	fflush(stdout);
}

void print_problem(const json_t *p, int status)
{
	const char *title = json_string_value(json_object_get(p, "title"));
	const char *detail = json_string_value(json_object_get(p, "detail"));
	json_t *retry = json_object_get(p, "retry_after");
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	put_safe(&b, title ? title : "the server gave no understandable answer");
	if (detail) {
		pst_buf_put_str(&b, " ");
		put_safe(&b, detail);
	}
	fprintf(stderr, "puestoctl: %s", pst_buf_cstr(&b));
	pst_buf_finish(&b);
	if (!title)
		fprintf(stderr, " (HTTP status %d)", status);
	if (retry)
		fprintf(stderr, " (try again in %lld s)", (long long)json_integer_value(retry));
	fputc('\n', stderr);
}

void print_progress(const struct ctl *c, const json_t *job, char last[64])
{
	const char *step = json_string_value(json_object_get(job, "step"));
	char now[64];

	snprintf(now, sizeof(now), "%s %lld %%", step ? step : "", (long long)json_integer_value(json_object_get(job, "percent")));
	if (c->options.json || strcmp(now, last) == 0)
		return;
	fprintf(stderr, isatty(STDERR_FILENO) ? "\r• %-20s" : "• %s\n", now);
	pst_strlcpy(last, 64, now);
}
