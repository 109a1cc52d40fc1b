/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs that are not edits: drain, log-off, publish, passwords, tokens. */
#include "broker/cli/ctl.h"

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int post(struct ctl *c, const char *noun, const char *name, const char *rest, json_t *body)
{
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), noun, name, rest))
		rc = request_print(c, "POST", path, body, noun);
	json_decref(body);
	return rc;
}

static bool on_word(int argc, char **argv, int at, bool *ret)
{
	*ret = true;
	return argc <= at || pst_parse_bool(argv[at], ret) == 0;
}

int command_drain(struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 2 ? noun_list(argv[1]) : NULL;
	bool on;

	if (argc < 3 || argc > 4 || !on_word(argc, argv, 3, &on))
		return usage("drain pool|desktop NAME [on|off]");
	return noun ? post(c, noun, argv[2], "/drain", json_pack("{s:b}", "drain", on)) : CTL_USAGE;
}

int command_maintenance(struct ctl *c, int argc, char **argv)
{
	bool on;

	if (argc < 2 || argc > 3 || !on_word(argc, argv, 2, &on))
		return usage("maintenance POOL [on|off]");
	return post(c, "pools", argv[1], "/maintenance", json_pack("{s:b}", "on", on));
}

int command_desktop(struct ctl *c, int argc, char **argv)
{
	char rest[32];

	if (argc != 2)
		return usage("logoff|restart|refresh DESKTOP");
	snprintf(rest, sizeof(rest), "/%s", argv[0]);
	return post(c, "desktops", argv[1], rest, json_object());
}

int command_watch(struct ctl *c, int argc, char **argv)
{
	if (argc != 2)
		return usage("watch SESSION");
	return post(c, "sessions", argv[1], "/watch", json_object());
}

/* The page of the console; who opens it logs in there. */
int command_console(struct ctl *c, int argc, char **argv)
{
	bool is_look = argc == 3 && strcmp(argv[2], "look") == 0;
	json_t *d = NULL, *link;
	char path[2048];
	size_t len;
	int rc;

	if (argc < 2 || argc > 3 || (argc == 3 && !is_look))
		return usage("console DESKTOP [look]");
	if (!object_path(path, sizeof(path), "desktops", argv[1], ""))
		return CTL_USAGE;
	rc = request(c, "GET", path, NULL, &d);
	if (rc != CTL_OK)
		return rc;
	for (len = strlen(c->options.url); len && c->options.url[len - 1] == '/'; len--)
		;
	link = json_sprintf("%.*s/client/#console=%s%s", (int)len, c->options.url, json_string_value(json_object_get(d, "id")), is_look ? "&look" : "");
	json_decref(d);
	if (c->options.json) {
		d = json_pack("{s:O}", "link", link);
		print_json(d);
		json_decref(d);
	} else {
		puts(json_string_value(link));
	}
	json_decref(link);
	return CTL_OK;
}

int command_message(struct ctl *c, int argc, char **argv)
{
	if (argc != 3)
		return usage("message DESKTOP TEXT");
	return post(c, "desktops", argv[1], "/message", json_pack("{s:s}", "text", argv[2]));
}

int command_publish(struct ctl *c, int argc, char **argv)
{
	bool add = argc > 3;
	json_t *body;
	int rc = CTL_OK;

	if (argc < 3)
		return usage("publish IMAGE VERSION [base=host] [path=/…] [notes=…]   (with fields: adds the version first)");
	if (add) {
		body = words_to_object(argc - 3, argv + 3);
		if (!body)
			return CTL_USAGE;
		json_object_set_new(body, "version", json_string(argv[2]));
		rc = post(c, "images", argv[1], "/versions", body);
	}
	return rc == CTL_OK ? post(c, "images", argv[1], "/publish", json_pack("{s:s}", "version", argv[2])) : rc;
}

int command_member(struct ctl *c, int argc, char **argv)
{
	bool add = argc == 4 && strcmp(argv[1], "add") == 0;
	char path[2048], user[1024], rest[1100];

	if (argc != 4 || (!add && strcmp(argv[1], "remove") != 0))
		return usage("member add|remove GROUP USER");
	if (!pst_url_escape(argv[3], user, sizeof(user)))
		return CTL_USAGE;
	snprintf(rest, sizeof(rest), "/members/%s", user);
	if (!object_path(path, sizeof(path), "groups", argv[2], rest))
		return CTL_USAGE;
	return request_print(c, add ? "PUT" : "DELETE", path, NULL, "groups");
}

int command_passwd(struct ctl *c, int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	char password[300], current[300];
	json_t *body;
	int rc;

	if (argc > 2)
		return usage("passwd [USER]   (the password comes from the terminal or standard input)");
	if ((argc == 1 && ask_password("Your present password", current, sizeof(current), &err) < 0) ||
		ask_password("New password", password, sizeof(password), &err) < 0) {
		fprintf(stderr, "puestoctl: %s\n", err.text);
		return CTL_USAGE;
	}
	body = argc == 1 ? json_pack("{s:s, s:s}", "current", current, "password", password) :
			   json_pack("{s:s}", "password", password);
	pst_wipe(password, sizeof(password));
	if (argc == 2)
		return post(c, "users", argv[1], "/password", body);
	rc = request_print(c, "POST", "me/password", body, "users");
	pst_wipe(current, sizeof(current));
	json_decref(body);
	return rc;
}

static int token_list(struct ctl *c, const char *user)
{
	char path[2048];
	json_t *answer = NULL;

	if (!object_path(path, sizeof(path), "users", user, "/tokens"))
		return CTL_USAGE;
	int rc = request(c, "GET", path, NULL, &answer);
	if (rc == CTL_OK && c->options.json)
		print_json(json_object_get(answer, "items"));
	else if (rc == CTL_OK)
		print_list("tokens", json_object_get(answer, "items"));
	json_decref(answer);
	return rc;
}

int command_token(struct ctl *c, int argc, char **argv)
{
	const char *word = argc > 2 ? argv[1] : "";
	char path[2048], rest[128];

	if (strcmp(word, "list") == 0 && argc == 3)
		return token_list(c, argv[2]);
	if (strcmp(word, "create") == 0) {
		json_t *body = words_to_object(argc - 3, argv + 3);

		return body ? post(c, "users", argv[2], "/tokens", body) : CTL_USAGE;
	}
	if (strcmp(word, "delete") == 0 && argc == 4 && strlen(argv[3]) < 64) {
		snprintf(rest, sizeof(rest), "/tokens/%s", argv[3]);
		return object_path(path, sizeof(path), "users", argv[2], rest) ?
			request_print(c, "DELETE", path, NULL, "tokens") : CTL_USAGE;
	}
	return usage("token create USER [name=…] [expires_s=…] | token list USER | token delete USER ID");
}

int command_revoke(struct ctl *c, int argc, char **argv)
{
	if (argc != 2)
		return usage("revoke USER | revoke --all");
	if (strcmp(argv[1], "--all") == 0)
		return request_print(c, "POST", "revoke-all", NULL, "users");
	return post(c, "users", argv[1], "/revoke", json_object());
}

int command_unlock(struct ctl *c, int argc, char **argv)
{
	return argc == 2 ? post(c, "users", argv[1], "/unlock", json_object()) : usage("unlock USER");
}

int command_reap(struct ctl *c, int argc, char **argv)
{
	(void)argv;
	return argc == 1 ? request_print(c, "POST", "reap", NULL, "providers") : usage("reap");
}

/* --- login: a password once, a token from then on --------------------------------------- */

static int keep_token(const char *token, struct pst_err *err)
{
	char dir[900], path[1024];
	int rc = config_dir(dir, sizeof(dir), true, err);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/token", dir);
	rc = pst_file_write(path, token, strlen(token), 0600, err);
	if (rc == 0)
		printf("Logged in. The token is in %s; 'puestoctl token list USER' shows it, 'token delete' ends it.\n", path);
	return rc;
}

static int make_token(struct ctl *c, const char *user)
{
	json_t *body = json_pack("{s:s}", "name", "puestoctl"), *answer = NULL;
	struct pst_err err = PST_ERR_INIT;
	char path[2048];
	int rc = CTL_USAGE;

	if (object_path(path, sizeof(path), "users", user, "/tokens"))
		rc = request(c, "POST", path, body, &answer);
	json_decref(body);
	const char *token = json_string_value(json_object_get(answer, "token"));
	if (rc == CTL_OK && (!token || keep_token(token, &err) < 0)) {
		fprintf(stderr, "puestoctl: %s\n", err.text);
		rc = CTL_FAILED;
	}
	json_decref(answer);
	return rc;
}

int command_login(struct ctl *c, int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	char password[300], user[256];
	int rc;

	if (argc > 2 || (argc < 2 && !*c->options.credentials))
		return usage("login USER   (the password comes from the terminal or standard input)");
	if (argc == 2) {
		pst_strlcpy(user, sizeof(user), argv[1]);
		rc = ask_password("Password", password, sizeof(password), &err);
	} else {
		rc = config_credentials(&c->options, user, sizeof(user), password, sizeof(password), &err);
	}
	if (rc == 0)
		rc = http_login_as(c->http, user, password, &err);
	pst_wipe(password, sizeof(password));
	if (rc < 0) {
		fprintf(stderr, "puestoctl: %s\n", err.text);
		return rc == PST_ECLOSED ? CTL_UNREACHABLE : CTL_DENIED;
	}
	return make_token(c, user);
}
