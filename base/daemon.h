/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every main does at its start: options, pidfile, ready notice, privileges. */
#pragma once

#include "base/conf.h"
#include "base/err.h"
#include "base/file.h"

#include <sys/types.h>

struct pst_daemon_options {
	const char *program;        /* "puesto-broker" */
	const char *summary;        /* one line for --help */
	const char *default_config; /* NULL: no file unless --config names one */
};

/*
 * Understands --config FILE, --set section.key=value (may repeat), --version, --help and
 * sets up the log from [log] level and format (text or json). Returns 0 with the
 * configuration (owned), 1 when the program has nothing left to do (--help, --version),
 * or PST_E... with err. ret_rest (may be NULL: then no further words are allowed) gets the
 * index of the first word that is not an option.
 */
int pst_daemon_parse(int argc, char **argv, const struct pst_daemon_options *options,
	struct pst_conf **ret_conf, int *ret_rest, struct pst_err *err);

/*
 * Writes our pid and holds a lock on the file until exit; PST_EBUSY names the running
 * process. Returns the descriptor (owned).
 */
int pst_pidfile_open(const char *path, struct pst_err *err);

/* Removes the file and closes. */
void pst_pidfile_close(const char *path, int fd);

/* "READY=1", "STATUS=...", "STOPPING=1" to $NOTIFY_SOCKET; silent 0 without one. */
int pst_sd_notify(const char *state);

/* The passwd entry of a user by name; PST_ENOTFOUND. */
int pst_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct pst_err *err);

/*
 * What any program of ours can give up: no file for others (umask 0027), no core dump, no_new_privs and not dumpable, for itself and for
 * what it starts (except the last, which ends with execve).
 */
int pst_process_harden(struct pst_err *err);

/*
 * Becomes uid and gid for good: no supplementary groups, no way back (checked), and
 * hardens the process. When we already are that user only the latter happens.
 */
int pst_drop_privileges(uid_t uid, gid_t gid, struct pst_err *err);
