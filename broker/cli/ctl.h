/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puestoctl: what its files share. One request at a time, one command a run. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Exit codes: see puestoctl(1). */
enum ctl_exit {
	CTL_OK = 0,
	CTL_FAILED = 1,      /* the broker refused */
	CTL_USAGE = 2,
	CTL_UNREACHABLE = 3,
	CTL_DENIED = 4,      /* log-in, role */
	CTL_NOT_FOUND = 5,
	CTL_CONFLICT = 6,
	CTL_TIMEOUT = 7,
};

struct ctl_options {
	char url[512];          /* https://host:port, without a path */
	char ca[1024];          /* CA file; "": the system's */
	char token_file[1024];
	char credentials[1024]; /* lines "user=… password=…" */
	char user[256];         /* which of them; "": the first */
	bool json;              /* -o json */
};

struct ctl_http;

struct ctl {
	struct ctl_options options;
	struct ctl_http *http;
};

/* config.c: the file, then the environment; the command line wins over both. */
int config_load(struct ctl_options *o, const char *file, struct pst_err *err);
/* The folder of configuration and token, made when `make`. */
int config_dir(char *out, size_t out_size, bool make, struct pst_err *err);
/* user and password of the credentials file; the caller wipes password. */
int config_credentials(const struct ctl_options *o, char *user, size_t user_size, char *password,
	size_t password_size, struct pst_err *err);

/* http.c */
struct ctl_http *http_create(const struct ctl_options *o, struct pst_err *err);
void http_destroy(struct ctl_http *h); /* ends the log-in that it made */
/* Logs in by token or credentials unless that has happened; 0 or a PST_E… with err. */
int http_login(struct ctl_http *h, const struct ctl_options *o, struct pst_err *err);
int http_login_as(struct ctl_http *h, const char *user, const char *password, struct pst_err *err);
/*
 * path goes after /api/v1/; body (borrowed) may be NULL. Returns the HTTP status with the answer
 * (owned, NULL when empty), or PST_ECLOSED with err when there is none.
 */
int http_call(struct ctl_http *h, const char *method, const char *path, const json_t *body, json_t **ret,
	struct pst_err *err);
/* Reads text/event-stream line by line until line() says false or the stream ends. */
int http_stream(struct ctl_http *h, const char *path, const char *last_id, bool (*line)(const char *line, void *arg),
	void *arg, struct pst_err *err);

/* print.c */
void print_json(const json_t *value);
/* A table with the columns of this noun ("pools", …); unknown nouns are printed as JSON. */
void print_list(const char *noun, const json_t *items);
/* What a job does, on stderr, where it is not what last says; nothing with --json. */
void print_progress(const struct ctl *c, const json_t *job, char last[64]);
void print_object(const char *noun, const json_t *object);
void print_event(const json_t *event);
void print_problem(const json_t *problem, int status);

/* ask.c: a password from the terminal without echo, or one line of standard input. */
int ask_password(const char *prompt, char *out, size_t out_size, struct pst_err *err);

/* commands: argv[0] is the command's word. */
typedef int (*command_fn)(struct ctl *c, int argc, char **argv);

/* objects.c */
int command_list(struct ctl *c, int argc, char **argv);
int command_get(struct ctl *c, int argc, char **argv);
int command_create(struct ctl *c, int argc, char **argv);
int command_update(struct ctl *c, int argc, char **argv);
int command_delete(struct ctl *c, int argc, char **argv);
/* acts.c */
int command_drain(struct ctl *c, int argc, char **argv);
int command_maintenance(struct ctl *c, int argc, char **argv);
int command_desktop(struct ctl *c, int argc, char **argv); /* logoff, restart, refresh */
int command_watch(struct ctl *c, int argc, char **argv);
int command_console(struct ctl *c, int argc, char **argv);
int command_message(struct ctl *c, int argc, char **argv);
int command_publish(struct ctl *c, int argc, char **argv);
int command_member(struct ctl *c, int argc, char **argv);
int command_passwd(struct ctl *c, int argc, char **argv);
int command_token(struct ctl *c, int argc, char **argv);
int command_login(struct ctl *c, int argc, char **argv);
int command_unlock(struct ctl *c, int argc, char **argv);
int command_revoke(struct ctl *c, int argc, char **argv);
int command_reap(struct ctl *c, int argc, char **argv);
/* image.c */
int command_image(struct ctl *c, int argc, char **argv);
/* operations.c */
int command_power(struct ctl *c, int argc, char **argv); /* start, stop, suspend */
int command_resize(struct ctl *c, int argc, char **argv);
int command_migrate(struct ctl *c, int argc, char **argv);
int command_snapshot(struct ctl *c, int argc, char **argv);
/* hosts.c */
int command_host(struct ctl *c, int argc, char **argv);
int command_provider(struct ctl *c, int argc, char **argv);
/* storage.c */
int command_datastore(struct ctl *c, int argc, char **argv);
/* import, capture, cancel: of the words of "image" */
int command_image_files(struct ctl *c, int argc, char **argv);
int command_backup(struct ctl *c, int argc, char **argv);
int command_recycle(struct ctl *c, int argc, char **argv);
/* personal.c */
int command_personal(struct ctl *c, int argc, char **argv);
/* watch.c */
int command_status(struct ctl *c, int argc, char **argv);
int command_events(struct ctl *c, int argc, char **argv);
int command_explain(struct ctl *c, int argc, char **argv);
int command_wait(struct ctl *c, int argc, char **argv);
int command_audit(struct ctl *c, int argc, char **argv);

/* request.c: one call, with its answer printed or its problem explained; an enum ctl_exit. */
int request(struct ctl *c, const char *method, const char *path, const json_t *body, json_t **ret);
int request_print(struct ctl *c, const char *method, const char *path, const json_t *body, const char *noun);
/* The list ("pools") for a noun in either number ("pool"); NULL: no such noun, and it was said. */
const char *noun_list(const char *word);
/* "noun/escaped name[rest]"; false: too long, and it was said. */
bool object_path(char *out, size_t out_size, const char *noun, const char *name, const char *rest);
/* name=value and name:=json words into an object; NULL: a word is wrong, and it was said. */
json_t *words_to_object(int argc, char **argv);
int usage(const char *line);
