/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' own disks: which there are, more room, and the end of one. */
#include "broker/cli/ctl.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define LISTS_MAX 4

static int list(struct ctl *c, int argc, char **argv)
{
	char *words[LISTS_MAX + 2] = {"list", "personal"};

	for (int i = 0; i < argc && i < LISTS_MAX; i++)
		words[2 + i] = argv[i];
	return argc > LISTS_MAX ? usage("personal list [user=NAME] [pool=NAME]") : command_list(c, 2 + argc, words);
}

/* "personal/USER/POOL" and what comes after it. */
static bool disk_path(char *out, size_t size, char **argv, const char *rest)
{
	char pool[600], tail[700];

	if (!pst_url_escape(argv[1], pool, sizeof(pool)) || (size_t)snprintf(tail, sizeof(tail), "/%s%s", pool, rest) >= sizeof(tail)) {
		fprintf(stderr, "puestoctl: the name is too long\n");
		return false;
	}
	return object_path(out, size, "personal", argv[0], tail);
}

static int grow(struct ctl *c, char **argv)
{
	int64_t mb;
	char path[2048];
	json_t *body;
	int rc = CTL_USAGE;

	if (pst_parse_i64(argv[2], 1, INT64_C(67108864), &mb) < 0) {
		fprintf(stderr, "puestoctl: '%s' is no size in MB\n", argv[2]);
		return CTL_USAGE;
	}
	body = json_pack("{s:I}", "size_mb", (json_int_t)mb);
	if (disk_path(path, sizeof(path), argv, ""))
		rc = request_print(c, "PATCH", path, body, "personal");
	json_decref(body);
	return rc;
}

static int end(struct ctl *c, int argc, char **argv)
{
	char path[2048], query[64] = "";
	int64_t days;

	if (argc == 3) {
		if (strncmp(argv[2], "keep_days=", 10) != 0 || pst_parse_i64(argv[2] + 10, 0, 400, &days) < 0) {
			fprintf(stderr, "puestoctl: '%s': keep_days=N, of 0 to 400 days\n", argv[2]);
			return CTL_USAGE;
		}
		snprintf(query, sizeof(query), "?keep_days=%d", (int)days);
	}
	return disk_path(path, sizeof(path), argv, query) ? request_print(c, "DELETE", path, NULL, "personal") : CTL_USAGE;
}

int command_personal(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "list") == 0)
		return list(c, argc - 2, argv + 2);
	if (strcmp(verb, "grow") == 0 && argc == 5)
		return grow(c, argv + 2);
	if (strcmp(verb, "remove") == 0 && (argc == 4 || argc == 5))
		return end(c, argc - 2, argv + 2);
	return usage("personal list [user=NAME] [pool=NAME] | personal grow USER POOL SIZE_MB | personal remove USER POOL [keep_days=N]");
}
