/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the server is and who we are: ~/.config/puesto/ctl.conf, PUESTO_… in the environment. */
#include "broker/cli/ctl.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIALS_MAX 65536

int config_dir(char *out, size_t out_size, bool make, struct pst_err *err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n = base && *base ? snprintf(out, out_size, "%s/puesto", base) :
				snprintf(out, out_size, "%s/.config/puesto", home ? home : "");

	if (n >= (int)out_size)
		return pst_err_set(err, PST_ELIMIT, "the path of the configuration folder is too long");
	return make ? pst_mkdirs(out, 0700, err) : 0;
}

struct setting {
	const char *key, *env;
	size_t offset, size;
};

#define SETTING(member) offsetof(struct ctl_options, member), sizeof(((struct ctl_options *)0)->member)

static const struct setting table[] = {
	{"url", "PUESTO_URL", SETTING(url)},
	{"ca", "PUESTO_CA", SETTING(ca)},
	{"token_file", "PUESTO_TOKEN_FILE", SETTING(token_file)},
	{"credentials", "PUESTO_CREDENTIALS", SETTING(credentials)},
	{"user", "PUESTO_USER", SETTING(user)},
};

static int set(struct ctl_options *o, const struct setting *s, const char *value, struct pst_err *err)
{
	if (pst_strlcpy((char *)o + s->offset, s->size, value) < 0)
		return pst_err_set(err, PST_ELIMIT, "%s: the value is too long", s->key);
	return 0;
}

static int load_file(struct ctl_options *o, const char *file, struct pst_err *err)
{
	struct pst_conf *conf = pst_conf_create();
	int rc = conf ? pst_conf_load(conf, file, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	for (size_t i = 0; rc == 0 && i < PST_ARRAY_LEN(table); i++) {
		const char *value = pst_conf_str(conf, "server", table[i].key, NULL);

		if (value)
			rc = set(o, &table[i], value, err);
	}
	if (rc == 0)
		rc = pst_conf_check_unused(conf, err);
	pst_conf_destroy(conf);
	return rc;
}

int config_load(struct ctl_options *o, const char *file, struct pst_err *err)
{
	char dir[900], path[1024];
	int rc = config_dir(dir, sizeof(dir), false, err);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s/token", dir);
	if (access(path, R_OK) == 0)
		pst_strlcpy(o->token_file, sizeof(o->token_file), path);
	snprintf(path, sizeof(path), "%s/ctl.conf", dir);
	if (file || access(path, R_OK) == 0)
		rc = load_file(o, file ? file : path, err);
	for (size_t i = 0; rc == 0 && i < PST_ARRAY_LEN(table); i++) {
		const char *value = getenv(table[i].env);

		if (value && *value)
			rc = set(o, &table[i], value, err);
	}
	return rc;
}

/* "user=ana password=secret": the password is the rest of the line. */
static bool read_line(char *line, const char *want, char *user, size_t user_size, char *password, size_t password_size)
{
	char *mark = strstr(line, " password=");

	if (!mark || !pst_str_starts(line, "user="))
		return false;
	*mark = '\0';
	if (*want && strcmp(line + 5, want) != 0)
		return false;
	return pst_strlcpy(user, user_size, line + 5) == 0 && pst_strlcpy(password, password_size, mark + 10) == 0;
}

int config_credentials(const struct ctl_options *o, char *user, size_t user_size, char *password,
	size_t password_size, struct pst_err *err)
{
	char *text = NULL, *save = NULL;
	size_t len = 0;
	bool found = false;
	int rc = pst_file_read(o->credentials, CREDENTIALS_MAX, &text, &len, err);

	if (rc < 0)
		return rc;
	for (char *line = strtok_r(text, "\r\n", &save); line && !found; line = strtok_r(NULL, "\r\n", &save))
		found = read_line(line, o->user, user, user_size, password, password_size);
	pst_wipe(text, len);
	free(text);
	if (!found)
		return pst_err_set(err, PST_ENOTFOUND, "%s: there is no line 'user=%s password=…'", o->credentials,
			*o->user ? o->user : "NAME");
	return 0;
}
