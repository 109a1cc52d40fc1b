/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One call and its outcome; the words of a command line as paths and bodies. */
#include "broker/cli/ctl.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static int exit_of(int status)
{
	if (status >= 200 && status < 300)
		return CTL_OK;
	if (status == 401 || status == 403)
		return CTL_DENIED;
	if (status == 404)
		return CTL_NOT_FOUND;
	return status == 409 || status == 412 ? CTL_CONFLICT : CTL_FAILED;
}

static int say(const struct pst_err *err)
{
	fprintf(stderr, "puestoctl: %s\n", err->text);
	return err->code == PST_ECLOSED ? CTL_UNREACHABLE : err->code == PST_EAUTH ? CTL_DENIED : CTL_USAGE;
}

int request(struct ctl *c, const char *method, const char *path, const json_t *body, json_t **ret)
{
	struct pst_err err = PST_ERR_INIT;
	int rc = http_login(c->http, &c->options, &err);
	int status = rc < 0 ? rc : http_call(c->http, method, path, body, ret, &err);

	if (status < 0)
		return say(&err);
	if (exit_of(status) == CTL_OK)
		return CTL_OK;
	if (c->options.json && *ret)
		print_json(*ret);
	print_problem(*ret, status);
	json_decref(*ret);
	*ret = NULL;
	return exit_of(status);
}

int request_print(struct ctl *c, const char *method, const char *path, const json_t *body, const char *noun)
{
	json_t *answer = NULL;
	int rc = request(c, method, path, body, &answer);

	if (rc != CTL_OK || !answer)
		return rc;
	if (c->options.json)
		print_json(answer);
	else
		print_object(noun, answer);
	json_decref(answer);
	return rc;
}

const char *noun_list(const char *word)
{
	static const struct {
		const char *one, *many;
	} nouns[] = {
		{"pool", "pools"}, {"desktop", "desktops"}, {"image", "images"}, {"provider", "providers"}, {"user", "users"},
		{"datastore", "datastores"}, {"personal", "personal"},
		{"group", "groups"}, {"entitlement", "entitlements"}, {"session", "sessions"}, {"event", "events"},
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(nouns); i++) {
		if (strcmp(word, nouns[i].one) == 0 || strcmp(word, nouns[i].many) == 0)
			return nouns[i].many;
	}
	fprintf(stderr, "puestoctl: '%s' is none of: pools desktops images datastores providers users groups entitlements sessions "
			"events\n", word);
	return NULL;
}

bool object_path(char *out, size_t out_size, const char *noun, const char *name, const char *rest)
{
	char escaped[1024];

	if (pst_url_escape(name, escaped, sizeof(escaped)) &&
		(size_t)snprintf(out, out_size, "%s/%s%s", noun, escaped, rest) < out_size)
		return true;
	fprintf(stderr, "puestoctl: the name is too long\n");
	return false;
}

static const char *const number_keys[] = {"min", "max", "spare", "spare_suspended", "idle_disconnect_s", "logoff_after_disconnect_s", "warning", "critical",
	"memory_mb", "cpus", "pids", "disk_mb", "user_snapshots", "recycle_days", "backup_every_h", "backup_full_every_d", "backup_keep_d", "backup_chain",
	"personal_disk_mb", "size_mb", "max_width", "max_height", "capacity", "max_creates", "expires_s", NULL};
static const char *const bool_keys[] = {"enabled", "drain", "maintenance", "clipboard_in", "clipboard_out", NULL};

static bool is_among(const char *key, const char *const *list)
{
	const char *dot = strrchr(key, '.');

	for (key = dot ? dot + 1 : key; *list; list++) {
		if (strcmp(key, *list) == 0)
			return true;
	}
	return false;
}

static json_t *value_of(const char *key, const char *text)
{
	int64_t number;
	bool on;

	if (is_among(key, number_keys))
		return pst_parse_i64(text, INT64_MIN / 2, INT64_MAX / 2, &number) == 0 ? json_integer(number) : NULL;
	if (is_among(key, bool_keys))
		return pst_parse_bool(text, &on) == 0 ? json_boolean(on) : NULL;
	return json_string(text);
}

/* "spec.cpus" goes into an object inside. */
static void put(json_t *o, const char *key, json_t *value)
{
	const char *dot = strchr(key, '.');
	char outer[64];

	if (!dot) {
		json_object_set_new(o, key, value);
		return;
	}
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - key), key);
	if (!json_object_get(o, outer))
		json_object_set_new(o, outer, json_object());
	put(json_object_get(o, outer), dot + 1, value);
}

static bool put_word(json_t *o, char *word)
{
	char *sign = strchr(word, '=');
	json_t *value = NULL;

	if (sign && sign > word) {
		bool is_json = sign[-1] == ':';

		sign[is_json ? -1 : 0] = '\0';
		value = is_json ? json_loads(sign + 1, JSON_DECODE_ANY, NULL) : value_of(word, sign + 1);
	}
	if (!value) {
		fprintf(stderr, "puestoctl: '%s': use name=value (a number or yes/no where the field is one), or "
				"name:=json\n", word);
		return false;
	}
	put(o, word, value);
	return true;
}

json_t *words_to_object(int argc, char **argv)
{
	json_t *o = json_object();

	for (int i = 0; i < argc; i++) {
		if (put_word(o, argv[i]))
			continue;
		json_decref(o);
		return NULL;
	}
	return o;
}

int usage(const char *line)
{
	fprintf(stderr, "Usage: puestoctl %s\n", line);
	return CTL_USAGE;
}
