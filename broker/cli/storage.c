/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datastores, and versions of images that are made and removed on them: asked for, and followed with words. */
#include "broker/cli/ctl.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FOLLOW_STEP_MS 500
#define GOES_ON (-1) /* no exit code */

/* --- datastores ------------------------------------------------------------------- */

static int maintenance(struct ctl *c, const char *name, bool on)
{
	json_t *body = json_pack("{s:b}", "maintenance", (int)on);
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "datastores", name, ""))
		rc = request_print(c, "PATCH", path, body, "datastores");
	json_decref(body);
	return rc;
}

int command_datastore(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	char *list[] = {"list", "datastores", NULL};

	if (strcmp(verb, "list") == 0 && argc == 2)
		return command_list(c, 2, list);
	if (strcmp(verb, "maintenance") == 0 && argc == 3)
		return maintenance(c, argv[2], true);
	if (strcmp(verb, "resume") == 0 && argc == 3)
		return maintenance(c, argv[2], false);
	return usage("datastore list | datastore maintenance|resume NAME");
}

/* --- versions ----------------------------------------------------------------------- */

static const char *text_in(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static const json_t *version_of(const json_t *image, const char *version)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(image, "versions"), i, v) {
		if (strcmp(text_in(v, "version"), version) == 0)
			return v;
	}
	return NULL;
}

/* GOES_ON, or an exit code: how it ended is said. */
static int version_look(struct ctl *c, const char *version, const json_t *image, char last[64])
{
	const json_t *v = version_of(image, version), *job = json_object_get(v, "job");

	if (strcmp(text_in(job, "state"), "running") == 0) {
		print_progress(c, job, last);
		return GOES_ON;
	}
	if (*last && isatty(STDERR_FILENO))
		fputc('\n', stderr);
	if (strcmp(text_in(job, "state"), "failed") == 0) {
		fprintf(stderr, "puestoctl: %s of version %s failed: %s\n", text_in(job, "kind"), version, text_in(job, "error"));
		return CTL_FAILED;
	}
	if (c->options.json)
		print_json(v ? v : image);
	else if (v)
		printf("version %s is %s\n", version, text_in(v, "state"));
	else
		printf("version %s is removed\n", version);
	return CTL_OK;
}

static int version_follow(struct ctl *c, const char *image, const char *version)
{
	char path[2048], last[64] = "";
	int rc = object_path(path, sizeof(path), "images", image, "") ? GOES_ON : CTL_USAGE;

	while (rc == GOES_ON) {
		json_t *o = NULL;
		int got = request(c, "GET", path, NULL, &o);

		rc = got == CTL_OK ? version_look(c, version, o, last) : got;
		json_decref(o);
		if (rc == GOES_ON)
			nanosleep(&(struct timespec){.tv_nsec = FOLLOW_STEP_MS * 1000000L}, NULL);
	}
	return rc;
}

static int version_ask(struct ctl *c, const char *method, const char *image, const char *rest, json_t *body, const char *version)
{
	json_t *answer = NULL;
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "images", image, rest))
		rc = request(c, method, path, body, &answer);
	json_decref(body);
	json_decref(answer);
	return rc == CTL_OK ? version_follow(c, image, version) : rc;
}

/* argv: IMAGE VERSION DATASTORE FILE|DESKTOP [format=…] [notes=…] */
static int version_make(struct ctl *c, const char *source, int argc, char **argv)
{
	bool is_import = strcmp(source, "import") == 0;
	json_t *more = words_to_object(argc - 4, argv + 4), *from, *notes, *format;
	json_t *body;

	if (!more)
		return CTL_USAGE;
	from = json_pack("{s:s, s:s}", "datastore", argv[2], is_import ? "file" : "desktop", argv[3]);
	format = json_object_get(more, "format");
	notes = json_object_get(more, "notes");
	if (format)
		json_object_set(from, "format", format);
	body = json_pack("{s:s, s:o}", "version", argv[1], source, from);
	if (notes)
		json_object_set(body, "notes", notes);
	json_decref(more);
	return version_ask(c, "POST", argv[0], "/versions", body, argv[1]);
}

static int version_act(struct ctl *c, const char *method, const char *image, const char *version, const char *rest)
{
	char name[256], tail[300];

	if (!pst_url_escape(version, name, sizeof(name)))
		return usage("image remove|cancel IMAGE VERSION   (the name is too long)");
	snprintf(tail, sizeof(tail), "/versions/%s%s", name, rest);
	return version_ask(c, method, image, tail, NULL, version);
}

static int version_copy(struct ctl *c, const char *image, const char *version, const char *datastore, bool is_removal)
{
	char name[256], store[256], tail[640];

	if (!pst_url_escape(version, name, sizeof(name)) || !pst_url_escape(datastore, store, sizeof(store)))
		return usage("image copy|uncopy IMAGE VERSION DATASTORE   (a name is too long)");
	snprintf(tail, sizeof(tail), "/versions/%s/copies%s%s", name, is_removal ? "/" : "", is_removal ? store : "");
	return version_ask(c, is_removal ? "DELETE" : "POST", image, tail, is_removal ? NULL : json_pack("{s:s}", "datastore", datastore), version);
}

int command_image_files(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if ((strcmp(verb, "import") == 0 || strcmp(verb, "capture") == 0) && argc >= 6)
		return version_make(c, verb, argc - 2, argv + 2);
	if (strcmp(verb, "remove") == 0 && argc == 4)
		return version_act(c, "DELETE", argv[2], argv[3], "");
	if (strcmp(verb, "cancel") == 0 && argc == 4)
		return version_act(c, "POST", argv[2], argv[3], "/cancel");
	if ((strcmp(verb, "copy") == 0 || strcmp(verb, "uncopy") == 0) && argc == 5)
		return version_copy(c, argv[2], argv[3], argv[4], strcmp(verb, "uncopy") == 0);
	return usage("image import IMAGE VERSION DATASTORE FILE [format=raw|qcow2|vmdk|vhdx|oci] | image capture IMAGE VERSION DATASTORE DESKTOP | "
		"image remove|cancel IMAGE VERSION | image copy|uncopy IMAGE VERSION DATASTORE");
}

/* --- the recycle bin -------------------------------------------------------------------- */

static int recycle_list(struct ctl *c)
{
	json_t *answer = NULL;
	int rc = request(c, "GET", "recycled", NULL, &answer);

	if (rc == CTL_OK && c->options.json)
		print_json(json_object_get(answer, "items"));
	else if (rc == CTL_OK)
		print_list("recycled", json_object_get(answer, "items"));
	json_decref(answer);
	return rc;
}

int command_recycle(struct ctl *c, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	char path[2048], token[256], rest[300];
	bool is_restore;

	if (strcmp(verb, "list") == 0 && argc == 2)
		return recycle_list(c);
	if (strcmp(verb, "restore") == 0 && argc == 3)
		return object_path(path, sizeof(path), "recycled", argv[2], "/restore") ? request_print(c, "POST", path, NULL, "desktops") : CTL_USAGE;
	is_restore = strcmp(verb, "restore") == 0;
	if ((!is_restore && strcmp(verb, "purge") != 0) || argc != 4 || !pst_url_escape(argv[3], token, sizeof(token)))
		return usage("recycle list | recycle restore ID | recycle restore DATASTORE TOKEN | recycle purge DATASTORE TOKEN");
	snprintf(rest, sizeof(rest), "/%s%s", token, is_restore ? "/restore" : "");
	return object_path(path, sizeof(path), "recycled", argv[2], rest) ? request_print(c, is_restore ? "POST" : "DELETE", path, NULL, "recycled") : CTL_USAGE;
}
