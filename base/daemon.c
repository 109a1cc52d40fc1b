/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options, pidfile, ready notice and privileges of a program. */
#include "base/daemon.h"

#include "base/log.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- options -------------------------------------------------------------- */

#define SETS_MAX 64

struct words {
	const char *config;
	const char *sets[SETS_MAX];
	size_t n_sets;
	bool is_done;
};

static void print_help(const struct pst_daemon_options *o)
{
	printf("Usage: %s [--config FILE] [--set section.key=value]...\n%s\n\n"
	       "  --config FILE            read this configuration%s%s\n"
	       "  --set section.key=value  set one value, over the file's\n"
	       "  --version                print the version and end\n"
	       "  --help                   print this and end\n",
		o->program, o->summary, o->default_config ? ", not " : "",
		o->default_config ? o->default_config : "");
}

static int word_take(struct words *w, int option, const struct pst_daemon_options *o,
	struct pst_err *err)
{
	switch (option) {
	case 'c':
		w->config = optarg;
		return 0;
	case 's':
		if (w->n_sets == SETS_MAX)
			return pst_err_set(err, PST_ELIMIT, "more than %d --set", SETS_MAX);
		w->sets[w->n_sets++] = optarg;
		return 0;
	case 'v':
		printf("%s %s\n", o->program, PACKAGE_VERSION);
		w->is_done = true;
		return 0;
	case 'h':
		print_help(o);
		w->is_done = true;
		return 0;
	default:
		return pst_err_set(err, PST_EINVAL, "see %s --help", o->program);
	}
}

static int words_parse(int argc, char **argv, const struct pst_daemon_options *o,
	struct words *w, struct pst_err *err)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0; /* glibc: start anew, for tests that parse twice */
	while (!w->is_done && (option = getopt_long(argc, argv, "+c:s:vh", known, NULL)) != -1) {
		int rc = word_take(w, option, o, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int log_set_up(struct pst_conf *conf, const char *program, struct pst_err *err)
{
	const char *format = pst_conf_str(conf, "log", "format", "text");
	const char *name = pst_conf_str(conf, "log", "level", "info");
	enum pst_level level;

	if (pst_log_level_parse(name, &level) < 0)
		return pst_err_set(err, PST_EINVAL,
			"configuration: [log] level is \"%.40s\": use debug, info, warn or error", name);
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return pst_err_set(err, PST_EINVAL,
			"configuration: [log] format is \"%.40s\": use text or json", format);

	pst_log_init(program, level, STDERR_FILENO, strcmp(format, "json") == 0);
	return 0;
}

static int conf_fill(struct pst_conf *conf, const struct words *w,
	const struct pst_daemon_options *o, struct pst_err *err)
{
	const char *path = w->config ? w->config : o->default_config;

	for (size_t i = 0; i < w->n_sets; i++) {
		int rc = pst_conf_override(conf, w->sets[i], err);
		if (rc < 0)
			return rc;
	}
	if (path) {
		struct pst_err why = PST_ERR_INIT;
		int rc = pst_conf_load(conf, path, &why);
		/* The default file may be absent; one that was asked for may not. */
		if (rc < 0 && (w->config || rc != PST_ENOTFOUND))
			return pst_err_pass(err, rc, &why);
	}
	return log_set_up(conf, o->program, err);
}

int pst_daemon_parse(int argc, char **argv, const struct pst_daemon_options *options,
	struct pst_conf **ret_conf, int *ret_rest, struct pst_err *err)
{
	struct words w = { 0 };
	int rc = words_parse(argc, argv, options, &w, err);

	if (rc < 0)
		return rc;
	if (w.is_done)
		return 1;
	if (!ret_rest && optind < argc)
		return pst_err_set(err, PST_EINVAL, "%.100s: unexpected; see %s --help", argv[optind],
			options->program);

	struct pst_conf *conf = pst_conf_create();
	if (!conf)
		return pst_err_set(err, PST_ENOMEM, "out of memory");
	rc = conf_fill(conf, &w, options, err);
	if (rc < 0) {
		pst_conf_destroy(conf);
		return rc;
	}

	if (ret_rest)
		*ret_rest = optind;
	*ret_conf = conf;
	return 0;
}

/* ---- pidfile -------------------------------------------------------------- */

int pst_pidfile_open(const char *path, struct pst_err *err)
{
	char text[32] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
		pst_fd_close(&fd);
		return pst_err_set(err, PST_EBUSY, "%s: already running as process %s", path, text);
	}

	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len) {
		pst_fd_close(&fd);
		return pst_err_sys(err, PST_EIO, errno, "%s: write", path);
	}
	return fd;
}

void pst_pidfile_close(const char *path, int fd)
{
	if (fd < 0)
		return;

	unlink(path);
	pst_fd_close(&fd);
}

/* ---- ready notice ----------------------------------------------------------- */

int pst_sd_notify(const char *state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (n == 0)
		return 0;
	if (n >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
		return PST_EINVAL;

	memcpy(addr.sun_path, path, n);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* the abstract name space */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return PST_EIO;
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	pst_fd_close(&fd);
	return sent < 0 ? PST_EIO : 0;
}

/* ---- privileges ------------------------------------------------------------- */

int pst_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid, struct pst_err *err)
{
	char buffer[4096];
	struct passwd pw, *found = NULL;
	int rc = getpwnam_r(name, &pw, buffer, sizeof(buffer), &found);

	if (rc != 0)
		return pst_err_sys(err, PST_EIO, rc, "user %s", name);
	if (!found)
		return pst_err_set(err, PST_ENOTFOUND, "user %s does not exist: create it with useradd --system", name);

	*ret_uid = pw.pw_uid;
	*ret_gid = pw.pw_gid;
	return 0;
}

static int become(uid_t uid, gid_t gid, struct pst_err *err)
{
	if (setgroups(0, NULL) < 0)
		return pst_err_sys(err, PST_EDENIED, errno, "dropping supplementary groups");
	if (setresgid(gid, gid, gid) < 0)
		return pst_err_sys(err, PST_EDENIED, errno, "becoming group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return pst_err_sys(err, PST_EDENIED, errno, "becoming user %u", uid);
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return pst_err_set(err, PST_EINTERNAL, "root came back after becoming user %u", uid);
	return 0;
}

int pst_process_harden(struct pst_err *err)
{
	static const struct rlimit none = { 0, 0 };

	umask(0027);
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return pst_err_sys(err, PST_EINTERNAL, errno, "no core dumps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return pst_err_sys(err, PST_EINTERNAL, errno, "no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return pst_err_sys(err, PST_EINTERNAL, errno, "making the process not dumpable");
	return 0;
}

int pst_drop_privileges(uid_t uid, gid_t gid, struct pst_err *err)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	bool is_already = r == uid && e == uid && s == uid && gr == gid && ge == gid && gs == gid;
	if (!is_already) {
		int rc = become(uid, gid, err);
		if (rc < 0)
			return rc;
	}

	/* A change of uid makes the kernel forget the last of them, so it comes after. */
	return pst_process_harden(err);
}
