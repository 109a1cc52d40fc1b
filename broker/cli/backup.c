/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back-ups of desktops: asked for, and followed with words. */
#include "broker/cli/ctl.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_STEP_MS 500
#define GOES_ON (-1) /* no exit code */

static const char *text_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* All of them, or those of one desktop. */
static int list(struct ctl *c, const char *desktop)
{
	char path[2048] = "backups";
	json_t *answer = NULL;
	int rc;

	if (desktop && !object_path(path, sizeof(path), "desktops", desktop, "/backups"))
		return CTL_USAGE;
	rc = request(c, "GET", path, NULL, &answer);
	if (rc == CTL_OK && c->options.json)
		print_json(json_object_get(answer, "items"));
	else if (rc == CTL_OK)
		print_list("backups", json_object_get(answer, "items"));
	json_decref(answer);
	return rc;
}

static void done_print(const json_t *o)
{
	const json_t *job = json_object_get(o, "job");

	if (strcmp(text_in(job, "kind"), "backup") == 0)
		printf("back-up %s is %s: %s (%s), %.1f MB\n", text_in(o, "id"), text_in(o, "state"), text_in(o, "kind"), text_in(o, "reason"),
			(double)json_integer_value(json_object_get(o, "bytes")) / 1048576);
	else
		printf("desktop %s has the disk of %s\n", text_in(json_object_get(o, "desktop"), "name"), text_in(o, "made"));
}

/* GOES_ON, or an exit code: how it ended is said. */
static int look(struct ctl *c, const json_t *o, char last[64])
{
	const json_t *job = json_object_get(o, "job");

	if (strcmp(text_in(job, "state"), "running") == 0) {
		print_progress(c, job, last);
		return GOES_ON;
	}
	if (*last && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (strcmp(text_in(job, "state"), "failed") == 0) {
		fprintf(stderr, "puestoctl: %s of desktop %s failed: %s\n", text_in(job, "kind"), text_in(json_object_get(o, "desktop"), "name"),
			text_in(job, "error"));
		return CTL_FAILED;
	}
	if (c->options.json)
		print_json(o);
	else
		done_print(o);
	return CTL_OK;
}

static int follow(struct ctl *c, const char *id)
{
	char path[2048], last[64] = "";
	int rc = object_path(path, sizeof(path), "backups", id, "") ? GOES_ON : CTL_USAGE;

	while (rc == GOES_ON) {
		json_t *o = NULL;
		int got = request(c, "GET", path, NULL, &o);

		rc = got == CTL_OK ? look(c, o, last) : got;
		json_decref(o);
		if (rc == GOES_ON)
			nanosleep(&(struct timespec){.tv_nsec = FOLLOW_STEP_MS * 1000000L}, NULL);
	}
	return rc;
}

static int ask(struct ctl *c, const char *what, const char *name, const char *rest)
{
	char path[2048], id[64] = "";
	json_t *answer = NULL;
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), what, name, rest))
		rc = request(c, "POST", path, NULL, &answer);
	if (rc == CTL_OK)
		pst_strlcpy(id, sizeof(id), text_in(answer, "id"));
	json_decref(answer);
	return rc == CTL_OK ? follow(c, id) : rc;
}

static int act(struct ctl *c, const char *method, const char *id, const char *rest)
{
	char path[2048];

	return object_path(path, sizeof(path), "backups", id, rest) ? request_print(c, method, path, NULL, "backups") : CTL_USAGE;
}

int command_backup(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "list") == 0 && argc <= 3)
		return list(c, argc == 3 ? argv[2] : NULL);
	if (strcmp(verb, "now") == 0 && argc == 3)
		return ask(c, "desktops", argv[2], "/backups");
	if (strcmp(verb, "restore") == 0 && argc == 3)
		return ask(c, "backups", argv[2], "/restore");
	if (strcmp(verb, "remove") == 0 && argc == 3)
		return act(c, "DELETE", argv[2], "");
	if (strcmp(verb, "cancel") == 0 && argc == 3)
		return act(c, "POST", argv[2], "/cancel");
	return usage("backup list [DESKTOP] | backup now DESKTOP | backup restore|remove|cancel ID");
}
