/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-broker: opens the database, listens for the other programs, decides. With a command
 * word it does one thing and ends: "bootstrap FILE" (or "-") makes first objects, "backup FILE"
 * copies the live database, "restored" is for after a backup was put back, "unlock USER" lets in
 * an account that wrong passwords have blocked.
 */
#include "base/daemon.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "broker/bootstrap.h"
#include "broker/sandbox.h"
#include "broker/settings.h"
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETUP_MAX (1024 * 1024)

struct broker {
	struct settings settings;
	struct db *db;
	struct control *control;
};

static int open_database(struct broker *b, struct pst_err *err)
{
	int rc = db_open(b->settings.database, &b->db, err);

	return rc < 0 ? rc : db_migrate(b->db, err);
}

static void on_stop(void *arg)
{
	struct broker *b = arg;

	pst_info("stopping: displays go on without us");
	pst_sd_notify("STOPPING=1");
	control_destroy(b->control);
	b->control = NULL;
}

static int serve(struct broker *b, struct pst_err *err)
{
	uv_loop_t *loop = uv_default_loop();
	int lock = pst_pidfile_open(b->settings.lock, err), rc;

	if (lock < 0)
		return lock;
	rc = sandbox_broker_enter(err);
	if (rc == 0)
		rc = open_database(b, err);
	if (rc == 0)
		rc = control_create(loop, b->db, &b->settings.control, &b->control, err);
	if (rc == 0)
		rc = control_listen(b->control, err);
	if (rc < 0)
		goto out;
	pst_info("ready database=%s", b->settings.database);
	pst_sd_notify("READY=1");
	rc = pst_loop_run_until_signal(loop, on_stop, NULL, b);
	rc = rc < 0 ? pst_err_set(err, rc, "the event loop failed") : 0;
out:
	control_destroy(b->control);
	uv_run(loop, UV_RUN_NOWAIT);
	pst_pidfile_close(b->settings.lock, lock);
	return rc;
}

static int read_stdin(char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char *text = malloc(SETUP_MAX + 1);
	size_t len = text ? fread(text, 1, SETUP_MAX + 1, stdin) : 0;

	if (!text || len > SETUP_MAX) {
		free(text);
		return pst_err_set(err, PST_ELIMIT, "standard input: more than %d bytes", SETUP_MAX);
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static json_t *read_setup(const char *path, struct pst_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = strcmp(path, "-") == 0 ? read_stdin(&text, &len, err) : pst_file_read(path, SETUP_MAX, &text, &len, err);

	if (rc < 0)
		return NULL;
	json_t *doc = pst_json_parse(text, len, 16, err);
	pst_wipe(text, len);
	free(text);
	if (!doc)
		pst_err_wrap(err, "%s", path);
	return doc;
}

static int bootstrap(struct broker *b, const char *path, struct pst_err *err)
{
	uv_loop_t *loop = uv_default_loop();
	json_t *doc = read_setup(path, err);
	int lock = doc ? pst_pidfile_open(b->settings.lock, err) : err->code;
	int rc = lock < 0 ? lock : open_database(b, err);

	if (rc == 0)
		rc = control_create(loop, b->db, &b->settings.control, &b->control, err);
	if (rc == 0)
		rc = bootstrap_run(loop, control_api(b->control), doc, err);
	control_destroy(b->control);
	uv_run(loop, UV_RUN_NOWAIT);
	json_decref(doc);
	if (lock >= 0)
		pst_pidfile_close(b->settings.lock, lock);
	return rc;
}

static int backup(struct broker *b, const char *path, struct pst_err *err)
{
	int rc = db_open(b->settings.database, &b->db, err);

	return rc < 0 ? rc : db_backup(b->db, path, err);
}

static int restored(struct broker *b, const char *unused, struct pst_err *err)
{
	int rc = open_database(b, err);

	(void)unused;
	return rc < 0 ? rc : db_generation_bump(b->db, err);
}

/* For the administrator whom wrong passwords have locked out; the broker may be running. */
static int unlock(struct broker *b, const char *user, struct pst_err *err)
{
	uv_loop_t *loop = uv_default_loop();
	struct user_row u;
	int rc = open_database(b, err);

	if (rc == 0)
		rc = db_user_get(b->db, user, &u, err);
	if (rc < 0)
		return rc;
	struct auth *auth = auth_create(loop, b->db, &b->settings.control.auth);
	rc = auth ? auth_unblock(auth, u.name, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	auth_destroy(auth);
	uv_run(loop, UV_RUN_NOWAIT);
	return rc;
}

struct command {
	const char *word;
	int words;
	int (*run)(struct broker *b, const char *arg, struct pst_err *err);
};

static const struct command commands[] = {
	{"bootstrap", 2, bootstrap}, {"backup", 2, backup}, {"restored", 1, restored},
	{"unlock", 2, unlock}};

static int run_words(struct broker *b, int argc, char **argv, struct pst_err *err)
{
	if (argc == 0)
		return serve(b, err);
	for (size_t i = 0; i < PST_ARRAY_LEN(commands); i++) {
		if (strcmp(argv[0], commands[i].word) == 0 && argc == commands[i].words)
			return commands[i].run(b, argc > 1 ? argv[1] : NULL, err);
	}
	return pst_err_set(err, PST_EINVAL, "'%s': use bootstrap FILE, backup FILE, restored or unlock USER; see puesto-broker(8)", argv[0]);
}

static int start(struct broker *b, struct pst_conf *conf, int argc, char **argv, struct pst_err *err)
{
	int rc = settings_read(conf, &b->settings, err);

	if (rc == 0 && b->settings.drop)
		rc = pst_drop_privileges(b->settings.uid, b->settings.gid, err);
	else if (rc == 0)
		rc = pst_process_harden(err);
	if (rc == 0)
		rc = run_words(b, argc, argv, err);
	db_close(b->db);
	settings_finish(&b->settings);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct pst_daemon_options options = {
		.program = "puesto-broker",
		.summary = "Decides who gets which desktop. Words: bootstrap FILE, backup FILE, restored, unlock USER.",
		.default_config = "/etc/puesto/broker.conf",
	};
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf = NULL;
	struct broker b = {.db = NULL};
	int rest = argc;
	int rc = pst_daemon_parse(argc, argv, &options, &conf, &rest, &err);

	if (rc == 0)
		rc = start(&b, conf, argc - rest, argv + rest, &err);
	if (rc < 0)
		pst_error("%s", err.text);
	pst_conf_destroy(conf);
	return rc < 0 ? 1 : 0;
}
