/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list, get, create, update, delete: the same for every noun. */
#include "broker/cli/ctl.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)

/* name=value words as a query. */
static bool put_query(char *out, size_t out_size, int argc, char **argv)
{
	char value[600];

	for (int i = 0; i < argc; i++) {
		char *sign = strchr(argv[i], '=');
		size_t at = strlen(out);

		if (!sign || !pst_url_escape(sign + 1, value, sizeof(value)) ||
			(size_t)snprintf(out + at, out_size - at, "&%.*s=%s", (int)(sign - argv[i]), argv[i], value) >= out_size - at) {
			fprintf(stderr, "puestoctl: '%s': filters are name=value\n", argv[i]);
			return false;
		}
	}
	return true;
}

/* Adds the page to items; *ret_next is owned, NULL at the end. */
static int add_page(struct ctl *c, const char *path, json_t *items, char **ret_next)
{
	json_t *page = NULL;
	int rc = request(c, "GET", path, NULL, &page);
	const char *next = json_string_value(json_object_get(page, "next"));

	*ret_next = NULL;
	if (rc == CTL_OK) {
		json_array_extend(items, json_object_get(page, "items"));
		*ret_next = next ? strdup(next) : NULL;
	}
	json_decref(page);
	return rc;
}

int command_list(struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 1 ? noun_list(argv[1]) : NULL;
	char query[1024] = "", path[2048], *cursor = NULL;
	json_t *items = json_array();
	int rc = CTL_OK;

	if (argc < 2) {
		json_decref(items);
		return usage("list NOUN [filter=value]…");
	}
	if (!noun || !put_query(query, sizeof(query), argc - 2, argv + 2))
		rc = CTL_USAGE;
	do {
		char *before = cursor;

		if (rc != CTL_OK)
			break;
		snprintf(path, sizeof(path), "%s?limit=200%s%s%s", noun, query, before ? "&cursor=" : "", before ? before : "");
		rc = add_page(c, path, items, &cursor);
		free(before);
	} while (cursor && strcmp(noun, "events") != 0);
	free(cursor);
	if (rc == CTL_OK && c->options.json)
		print_json(items);
	else if (rc == CTL_OK)
		print_list(noun, items);
	json_decref(items);
	return rc;
}

int command_get(struct ctl *c, int argc, char **argv)
{
	char path[2048];
	const char *noun;

	if (argc != 3)
		return usage("get NOUN NAME");
	noun = noun_list(argv[1]);
	if (!noun || !object_path(path, sizeof(path), noun, argv[2], ""))
		return CTL_USAGE;
	return request_print(c, "GET", path, NULL, noun);
}

/* A JSON object from a file, "-" is standard input. */
static json_t *read_object(const char *file)
{
	struct pst_err err = PST_ERR_INIT;
	json_error_t where;
	char *text = NULL;
	json_t *o = NULL;
	size_t len;

	if (strcmp(file, "-") == 0) {
		o = json_loadf(stdin, JSON_REJECT_DUPLICATES, &where);
		if (!o)
			fprintf(stderr, "puestoctl: standard input: %s\n", where.text);
		return o;
	}
	if (pst_file_read(file, FILE_MAX, &text, &len, &err) == 0)
		o = pst_json_parse(text, len, 16, &err);
	free(text);
	if (!o)
		fprintf(stderr, "puestoctl: %s: %s\n", file, err.text);
	return o;
}

static json_t *body_of(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "-f") == 0)
		return read_object(argv[1]);
	return words_to_object(argc, argv);
}

int command_create(struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 2 ? noun_list(argv[1]) : NULL;
	char path[2048];
	json_t *body;
	int words = 2;

	if (argc < 3)
		return usage("create NOUN name=value… | -f FILE.json");
	if (!noun)
		return CTL_USAGE;
	snprintf(path, sizeof(path), "%s", noun);
	body = body_of(argc - words, argv + words);
	if (!body)
		return CTL_USAGE;
	int rc = request_print(c, "POST", path, body, noun);
	json_decref(body);
	return rc;
}

int command_update(struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 3 ? noun_list(argv[1]) : NULL;
	char path[2048];

	if (argc < 4)
		return usage("update NOUN NAME name=value… | -f FILE.json");
	if (!noun || !object_path(path, sizeof(path), noun, argv[2], ""))
		return CTL_USAGE;
	json_t *body = body_of(argc - 3, argv + 3);
	if (!body)
		return CTL_USAGE;
	int rc = request_print(c, "PATCH", path, body, noun);
	json_decref(body);
	return rc;
}

int command_delete(struct ctl *c, int argc, char **argv)
{
	char path[2048];
	const char *noun;

	if (argc != 3)
		return usage("delete NOUN NAME");
	noun = noun_list(argv[1]);
	if (!noun || !object_path(path, sizeof(path), noun, argv[2], ""))
		return CTL_USAGE;
	return request_print(c, "DELETE", path, NULL, noun);
}
