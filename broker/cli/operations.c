/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a desktop's provider may carry beyond making it: asked for, and waited for with words. */
#include "broker/cli/ctl.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_STEP_MS 300
#define WAIT_STEPS (15 * 60 * 1000 / WAIT_STEP_MS)

static const char *text_in(const json_t *o, const char *object, const char *key)
{
	const char *s = json_string_value(json_object_get(json_object_get(o, object), key));

	return s ? s : "";
}

/* How the task that was begun ended; the desktop's newest state is the caller's to free. */
static int task_wait(struct ctl *c, const char *path, const char *task, json_t **ret)
{
	for (int step = 0; step < WAIT_STEPS; step++) {
		json_t *d = NULL;
		int rc = request(c, "GET", path, NULL, &d);

		if (rc != CTL_OK)
			return rc;
		if (strcmp(text_in(d, "task", "id"), task) != 0) {
			*ret = d;
			return CTL_OK;
		}
		json_decref(d);
		nanosleep(&(struct timespec){.tv_nsec = WAIT_STEP_MS * 1000000L}, NULL);
	}
	fprintf(stderr, "puestoctl: the provider still works on it; 'puestoctl get desktop NAME' shows how it goes\n");
	return CTL_FAILED;
}

static int task_follow(struct ctl *c, const char *desktop, const json_t *begun)
{
	const char *task = text_in(begun, "task", "id"), *kind = text_in(begun, "task", "kind");
	char path[2048];
	json_t *d = NULL;
	int rc = CTL_OK;

	if (!*task)
		return CTL_OK; /* it was so already */
	if (!object_path(path, sizeof(path), "desktops", desktop, ""))
		return CTL_USAGE;
	if (!c->options.json)
		fprintf(stderr, "• %s of %s is under way\n", kind, desktop);
	rc = task_wait(c, path, task, &d);
	if (rc != CTL_OK)
		return rc;
	if (strcmp(text_in(d, "last_task", "id"), task) == 0 && strcmp(text_in(d, "last_task", "state"), "failed") == 0) {
		fprintf(stderr, "puestoctl: %s of %s failed: %s\n", kind, desktop, text_in(d, "last_task", "error"));
		rc = CTL_FAILED;
	} else if (c->options.json) {
		print_json(d);
	} else {
		printf("%s of %s is done\n", kind, desktop);
	}
	json_decref(d);
	return rc;
}

static int operate(struct ctl *c, const char *method, const char *desktop, const char *rest, json_t *body)
{
	json_t *answer = NULL;
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "desktops", desktop, rest))
		rc = request(c, method, path, body, &answer);
	json_decref(body);
	if (rc == CTL_OK)
		rc = task_follow(c, desktop, answer);
	json_decref(answer);
	return rc;
}

int command_power(struct ctl *c, int argc, char **argv)
{
	if (argc != 2)
		return usage("start|stop|suspend DESKTOP");
	return operate(c, "POST", argv[1], "/power", json_pack("{s:s}", "power", argv[0]));
}

int command_resize(struct ctl *c, int argc, char **argv)
{
	json_t *body = argc > 2 ? words_to_object(argc - 2, argv + 2) : NULL;

	if (argc < 3)
		return usage("resize DESKTOP [memory_mb=N] [cpus=N] [disk_mb=N]");
	return body ? operate(c, "POST", argv[1], "/resize", body) : CTL_USAGE;
}

int command_migrate(struct ctl *c, int argc, char **argv)
{
	if (argc < 2 || argc > 3)
		return usage("migrate DESKTOP [HOST]");
	return operate(c, "POST", argv[1], "/migrate", argc == 3 ? json_pack("{s:s}", "host", argv[2]) : json_object());
}

static int snapshot_list(struct ctl *c, const char *desktop)
{
	char path[2048];
	json_t *answer = NULL;
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "desktops", desktop, "/snapshots"))
		rc = request(c, "GET", path, NULL, &answer);
	if (rc == CTL_OK && c->options.json)
		print_json(json_object_get(answer, "items"));
	else if (rc == CTL_OK)
		print_list("snapshots", json_object_get(answer, "items"));
	json_decref(answer);
	return rc;
}

int command_snapshot(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	char name[256], rest[300];

	if (strcmp(verb, "list") == 0 && argc == 3)
		return snapshot_list(c, argv[2]);
	if (strcmp(verb, "take") == 0 && argc == 4)
		return operate(c, "POST", argv[2], "/snapshots", json_pack("{s:s}", "name", argv[3]));
	if ((strcmp(verb, "revert") != 0 && strcmp(verb, "drop") != 0) || argc != 4)
		return usage("snapshot list DESKTOP | snapshot take|revert|drop DESKTOP NAME");
	if (!pst_url_escape(argv[3], name, sizeof(name)))
		return usage("snapshot take|revert|drop DESKTOP NAME   (the name is too long)");
	snprintf(rest, sizeof(rest), "/snapshots/%s%s", name, strcmp(verb, "revert") == 0 ? "/revert" : "");
	return operate(c, strcmp(verb, "revert") == 0 ? "POST" : "DELETE", argv[2], rest, NULL);
}
