/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Versions of images on their way to the pools, and at their end. */
#include "broker/cli/ctl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define USAGE_PUBLISH                                                                              \
	"image publish IMAGE VERSION [--canary PERCENT] [--canary-for SECONDS] [--unavailable N] " \
	"[--failures N]\n"                                                                         \
	"       [--samples N] [--slower PERCENT] [--kept-disks] [--force-at TIME]"

/* --- what is printed ---------------------------------------------------------------- */

static long long number_in(const json_t *o, const char *object, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(o, object), key));
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_times(const json_t *ro, const char *key, const char *what)
{
	const json_t *was = json_object_get(json_object_get(ro, key), "previous"),
		     *is = json_object_get(json_object_get(ro, key), "version");

	if (json_is_integer(is))
		printf("  %s: %lld ms", what, (long long)json_integer_value(is));
	if (json_is_integer(is) && json_is_integer(was))
		printf(", with the version before %lld ms", (long long)json_integer_value(was));
	if (json_is_integer(is))
		printf("\n");
}

static void print_rollout(const char *image, const json_t *ro)
{
	const char *reason = text_of(json_object_get(ro, "reason"), "en"), *before = text_of(ro, "previous");

	if (!json_is_object(ro)) {
		printf("no version of %s was rolled out yet\n", image);
		return;
	}
	printf("version %s of %s%s%s: %s%s\n", text_of(ro, "version"), image, *before ? ", before it " : "",
		before, text_of(ro, "phase"), json_is_true(json_object_get(ro, "paused")) ? ", paused" : "");
	printf("  %s\n", reason);
	printf("  desktops: %lld of %lld have it; %lld wait for a log-off, %lld will be replaced, %lld are "
	       "left alone\n",
		number_in(ro, "progress", "updated"), number_in(ro, "progress", "total"),
		number_in(ro, "progress", "in_use"), number_in(ro, "progress", "free"),
		number_in(ro, "progress", "left_alone"));
	print_times(ro, "create_ms", "a new desktop is ready after");
	print_times(ro, "refresh_ms", "a new disk is ready after");
	print_times(ro, "logon_ms", "a picture is there after");
}

static int ask(struct ctl *c, const char *method, const char *image, const char *rest, json_t *body)
{
	json_t *answer = NULL;
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "images", image, rest))
		rc = request(c, method, path, body, &answer);
	json_decref(body);
	if (rc == CTL_OK && answer && c->options.json)
		print_json(answer);
	else if (rc == CTL_OK && answer)
		print_rollout(image, json_object_get(answer, "rollout"));
	json_decref(answer);
	return rc;
}

/* --- the words of a plan ---------------------------------------------------------------- */

/* "18:30" is the next one of this machine's clock; anything else is for the broker to read. */
static json_t *time_json(const char *text)
{
	char out[PST_RFC3339_SIZE];
	int hour, minute, end = 0;
	time_t now = time(NULL);
	struct tm tm;

	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || text[end] || !localtime_r(&now, &tm))
		return json_string(text);
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	time_t at = mktime(&tm);
	if (at <= now) {
		tm.tm_mday++;
		tm.tm_isdst = -1;
		at = mktime(&tm);
	}
	pst_rfc3339((int64_t)at * 1000, out);
	return json_string(out);
}

static bool add_option(json_t *body, const char *word, const char *value)
{
	static const struct {
		const char *word, *key;
	} numbers[] = { { "--canary", "canary" }, { "--canary-for", "canary_s" },
		{ "--unavailable", "unavailable" }, { "--failures", "max_failures" },
		{ "--samples", "samples" }, { "--slower", "slower_percent" } };
	int64_t number;

	if (strcmp(word, "--force-at") == 0)
		return json_object_set_new(body, "force_at", time_json(value)) == 0;
	for (size_t i = 0; i < PST_ARRAY_LEN(numbers); i++) {
		if (strcmp(word, numbers[i].word) == 0 && pst_parse_i64(value, 0, INT32_MAX, &number) == 0)
			return json_object_set_new(body, numbers[i].key, json_integer(number)) == 0;
	}
	fprintf(stderr, "puestoctl: '%s %s' is no option of this command, or no number\n", word, value);
	return false;
}

static json_t *plan_of(const char *version, int argc, char **argv)
{
	json_t *body = json_pack("{s:s}", "version", version);

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--kept-disks") == 0) {
			json_object_set_new(body, "kept_disks", json_true());
			continue;
		}
		if (!add_option(body, argv[i], i + 1 < argc ? argv[i + 1] : "")) {
			json_decref(body);
			return NULL;
		}
		i++;
	}
	return body;
}

/* --- the verbs ------------------------------------------------------------------------ */

static int publish(struct ctl *c, int argc, char **argv)
{
	json_t *body;

	if (argc < 4)
		return usage(USAGE_PUBLISH);
	body = plan_of(argv[3], argc - 4, argv + 4);
	return body ? ask(c, "POST", argv[2], "/publish", body) : usage(USAGE_PUBLISH);
}

static int rollout(struct ctl *c, int argc, char **argv)
{
	return argc == 3 ? ask(c, "GET", argv[2], "/rollout", NULL) : usage("image rollout IMAGE");
}

static int act(struct ctl *c, int argc, char **argv)
{
	char rest[40];

	if (argc != 3)
		return usage("image pause|continue|rollback IMAGE");
	snprintf(rest, sizeof(rest), "/rollout/%s", argv[1]);
	return ask(c, "POST", argv[2], rest, json_object());
}

static int retire(struct ctl *c, int argc, char **argv)
{
	char version[256], rest[300], path[2048];

	if (argc != 4 || !pst_url_escape(argv[3], version, sizeof(version)))
		return usage("image retire IMAGE VERSION");
	snprintf(rest, sizeof(rest), "/versions/%s/retire", version);
	if (!object_path(path, sizeof(path), "images", argv[2], rest))
		return CTL_USAGE;
	return request_print(c, "POST", path, NULL, "images");
}

int command_image(struct ctl *c, int argc, char **argv)
{
	static const struct {
		const char *verb;
		command_fn run;
	} verbs[] = { { "publish", publish }, { "rollout", rollout }, { "pause", act }, { "continue", act },
		{ "rollback", act }, { "retire", retire }, { "remove", command_image_files }, { "import", command_image_files },
		{ "capture", command_image_files }, { "cancel", command_image_files }, { "copy", command_image_files }, { "uncopy", command_image_files } };

	for (size_t i = 0; argc > 1 && i < PST_ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].verb) == 0)
			return verbs[i].run(c, argc, argv);
	}
	return usage("image publish|rollout|pause|continue|rollback|import|capture|cancel|retire|remove IMAGE …");
}
