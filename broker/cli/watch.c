/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking: status, events (also live), explain, wait, and the check of the audit. */
#include "broker/cli/ctl.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int command_status(struct ctl *c, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? request_print(c, "GET", "status", NULL, "status") : usage("status");
}

int command_explain(struct ctl *c, int argc, char **argv)
{
	char user[600], pool[600], path[1400];
	json_t *answer = NULL;

	if (argc != 3)
		return usage("explain USER POOL");
	if (!pst_url_escape(argv[1], user, sizeof(user)) || !pst_url_escape(argv[2], pool, sizeof(pool)))
		return CTL_USAGE;
	snprintf(path, sizeof(path), "explain?user=%s&pool=%s", user, pool);
	int rc = request(c, "GET", path, NULL, &answer);
	if (rc == CTL_OK && c->options.json) {
		print_json(answer);
	} else if (rc == CTL_OK) {
		print_list("checks", json_object_get(answer, "checks"));
		printf("\n%s: %s\n", json_is_true(json_object_get(answer, "allowed")) ? "yes" : "no",
			json_string_value(json_object_get(json_object_get(answer, "reason"), "en")));
	}
	json_decref(answer);
	return rc;
}

int command_audit(struct ctl *c, int argc, char **argv)
{
	json_t *answer = NULL;

	if (argc != 2 || strcmp(argv[1], "verify") != 0)
		return usage("audit verify");
	int rc = request(c, "GET", "events/verify", NULL, &answer);
	if (rc != CTL_OK)
		return rc;
	if (c->options.json)
		print_json(answer);
	else
		printf("%s\nlast event %lld, hash %s\n",
			json_string_value(json_object_get(json_object_get(answer, "reason"), "en")),
			(long long)json_integer_value(json_object_get(answer, "last_seq")),
			json_string_value(json_object_get(answer, "last_hash")));
	rc = json_is_true(json_object_get(answer, "ok")) ? CTL_OK : CTL_FAILED;
	json_decref(answer);
	return rc;
}

/* --- events ------------------------------------------------------------------------------ */

struct follow {
	bool json, changes;
	char event[32], id[32];
	const char *kind; /* "" is any */
};

static bool follow_line(const char *line, void *arg)
{
	struct follow *f = arg;

	if (pst_str_starts(line, "event: ")) {
		pst_strlcpy(f->event, sizeof(f->event), line + 7);
	} else if (pst_str_starts(line, "id: ")) {
		pst_strlcpy(f->id, sizeof(f->id), line + 4);
	} else if (pst_str_starts(line, "data: ") && (strcmp(f->event, "audit") == 0 || f->changes)) {
		json_t *o = json_loads(line + 6, 0, NULL);
		const char *kind = json_string_value(json_object_get(o, "kind"));

		if (o && (!*f->kind || (kind && pst_str_starts(kind, f->kind)))) {
			if (f->json) {
				puts(line + 6);
				fflush(stdout);
			} else if (strcmp(f->event, "audit") == 0) {
				print_event(o);
			}
		}
		json_decref(o);
	}
	return true;
}

static int follow(struct ctl *c, const char *kind)
{
	struct follow f = {.json = c->options.json, .kind = kind};
	struct pst_err err = PST_ERR_INIT;
	const struct timespec pause = {.tv_sec = 2};
	int status = http_login(c->http, &c->options, &err);

	while (status >= 0) {
		status = http_stream(c->http, "events/stream", f.id, follow_line, &f, &err);
		if (status >= 400) {
			fprintf(stderr, "puestoctl: the stream was refused (HTTP status %d)\n", status);
			return status == 401 || status == 403 ? CTL_DENIED : CTL_FAILED;
		}
		if (status < 0 && *f.id) /* it has worked: the gateway may be starting again */
			status = 0;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "puestoctl: %s\n", err.text);
	return status == PST_ECLOSED ? CTL_UNREACHABLE : CTL_DENIED;
}

int command_events(struct ctl *c, int argc, char **argv)
{
	static char list_word[] = "list", noun[] = "events";
	char *words[16] = {list_word, noun};
	const char *kind = "";
	bool live = false;
	int n = 2;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--follow") == 0 || strcmp(argv[i], "-f") == 0)
			live = true;
		else if (n < 15)
			words[n++] = argv[i];
		if (pst_str_starts(argv[i], "kind="))
			kind = argv[i] + 5;
	}
	return live ? follow(c, kind) : command_list(c, n, words);
}

/* --- wait ---------------------------------------------------------------------------------- */

static int64_t number_of(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v ? json_integer_value(v) : json_integer_value(json_object_get(json_object_get(o, "counts"), key));
}

/* "state=ready", "ready=2" (at least) */
static bool holds(const json_t *o, const char *condition)
{
	const char *sign = strchr(condition, '=');
	char key[64];
	int64_t want;

	snprintf(key, sizeof(key), "%.*s", (int)(sign - condition), condition);
	const char *text = json_string_value(json_object_get(o, key));
	if (text)
		return strcmp(text, sign + 1) == 0;
	return pst_parse_i64(sign + 1, 0, INT64_MAX, &want) == 0 && number_of(o, key) >= want;
}

static int wait_for(struct ctl *c, const char *path, const char *condition, uint64_t deadline_ms)
{
	const struct timespec pause = {.tv_nsec = 250000000};
	char last[512] = "";

	for (;;) {
		json_t *o = NULL;
		int rc = request(c, "GET", path, NULL, &o);
		bool done = rc == CTL_OK && holds(o, condition);
		const char *why = json_string_value(json_object_get(json_object_get(o, "reason"), "en"));

		if (why && strcmp(why, last) != 0) {
			pst_strlcpy(last, sizeof(last), why);
			fprintf(stderr, "%s\n", why);
		}
		json_decref(o);
		if (done || (rc != CTL_OK && rc != CTL_UNREACHABLE))
			return rc;
		if (pst_mono_ms() > deadline_ms) {
			fprintf(stderr, "puestoctl: '%s' did not come true in time\n", condition);
			return CTL_TIMEOUT;
		}
		nanosleep(&pause, NULL);
	}
}

int command_wait(struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 3 ? noun_list(argv[1]) : NULL;
	uint32_t seconds = 120;
	char path[2048];

	if (argc < 4 || argc > 5 || !strchr(argv[3], '=') ||
		(argc == 5 && (!pst_str_starts(argv[4], "timeout=") || pst_parse_u32(argv[4] + 8, 1, 86400, &seconds) < 0)))
		return usage("wait NOUN NAME state=WORD|ready=N [timeout=SECONDS]");
	if (!noun || !object_path(path, sizeof(path), noun, argv[2], ""))
		return CTL_USAGE;
	return wait_for(c, path, argv[3], pst_mono_ms() + seconds * 1000ull);
}
