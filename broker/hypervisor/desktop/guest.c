/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folders, account, session; the machine's own init starts us and starts us again. */
#include "broker/hypervisor/desktop/guest.h"

#include "base/conf.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/desktop/home.h"
#include "broker/hypervisor/desktop/init.h"
#include "broker/hypervisor/desktop/personal.h"
#include "broker/hypervisor/desktop/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCOUNT "user"
#define OUTPUT "/var/log/puesto-session.log"
#define DISPLAY_NUMBER 0
#define CMDLINE_MAX 4096
#define CMDLINE_WORD "puesto.session."

static int folder_own(const char *path, mode_t mode, const struct launch *l, gid_t gid, struct pst_err *err)
{
	if (pst_mkdirs(path, mode, err) < 0)
		return err->code;
	if (chown(path, l->uid, gid) < 0 || chmod(path, mode) < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	return 0;
}

/* The agent's folder outlives a reboot; /run does not, and is where programs look for it. */
static int folders_make(const struct launch *l, gid_t gid, struct pst_err *err)
{
	char user[64];

	snprintf(user, sizeof(user), "/run/user/%u", (unsigned)l->uid);
	if (folder_own(GUEST_AGENT_DIR, 0700, l, gid, err) < 0 ||
		folder_own(DESKTOP_X_DIR, 0700, l, gid, err) < 0 || folder_own(user, 0700, l, gid, err) < 0 ||
		pst_mkdirs("/tmp/.X11-unix", 01777, err) < 0)
		return err->code;
	/* Less what the umask took from it. */
	if (chmod("/tmp/.X11-unix", 01777) < 0 ||
		(symlink(GUEST_AGENT_DIR, DESKTOP_RUN) < 0 && errno != EEXIST))
		return pst_err_sys(err, PST_EIO, errno, DESKTOP_RUN);
	if (unlink(GUEST_PAINTED) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, GUEST_PAINTED);
	return home_make("/etc/skel", DESKTOP_HOME, l->uid, err);
}

/* "puesto.session.KEY=VALUE" of the kernel's command line: a hypervisor's word, before any seed has come. */
static int conf_override(struct pst_conf *conf, struct pst_err *err)
{
	char text[CMDLINE_MAX], *save = NULL;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

	pst_fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (pst_str_starts(w, CMDLINE_WORD) && pst_conf_override(conf, w + strlen(CMDLINE_WORD) - strlen("session."), err) < 0)
			return pst_err_wrap(err, "the kernel's command line");
	}
	return 0;
}

static int conf_read(struct pst_conf *conf, struct launch *l, struct pst_err *err)
{
	if ((access(GUEST_SESSION_CONF, R_OK) == 0 && pst_conf_load(conf, GUEST_SESSION_CONF, err) < 0) || conf_override(conf, err) < 0)
		return err->code;
	l->locale = pst_conf_str(conf, "session", "locale", "en_US");
	l->layout = pst_conf_str(conf, "session", "layout", "us");
	if (pst_conf_u32(conf, "session", "max_width", 320, 8192, 3840, &l->max_width, err) < 0 ||
		pst_conf_u32(conf, "session", "max_height", 200, 8192, 2160, &l->max_height, err) < 0 ||
		pst_conf_u32(conf, "session", "width", 320, l->max_width, 1280, &l->width, err) < 0 ||
		pst_conf_u32(conf, "session", "height", 200, l->max_height, 800, &l->height, err) < 0)
		return err->code;
	return pst_conf_check_unused(conf, err);
}

/* For whoever brings the user's files: a session that cannot be told is none the worse. */
static void pid_put(void)
{
	struct pst_err none = PST_ERR_INIT;
	char text[24];
	int n = snprintf(text, sizeof(text), "%d", (int)getpid());

	(void)pst_file_write(PERSONAL_SESSION_PID, text, (size_t)n, 0644, &none);
}

static int session_run(struct pst_conf *conf, struct pst_err *err)
{
	struct launch l = { .agent_conf = GUEST_AGENT_CONF };
	struct session s;
	gid_t gid;
	int output, rc;

	umask(022);
	pid_put();
	if (conf_read(conf, &l, err) < 0 || pst_user_find(ACCOUNT, &l.uid, &gid, err) < 0 ||
		folders_make(&l, gid, err) < 0)
		return err->code;
	output = open(OUTPUT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (output < 0)
		return pst_err_sys(err, PST_EIO, errno, OUTPUT);
	if (pst_drop_privileges(l.uid, gid, err) < 0 || session_init(&s, &l, DISPLAY_NUMBER, err) < 0) {
		rc = err->code;
		goto out;
	}
	umask(022);
	/* What a program of the session leaves behind comes to us, as it does to process 1. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	rc = session_cookie(err);
	if (rc == 0)
		rc = init_run(&s, output);
	session_finish(&s);
out:
	close(output);
	return rc;
}

int guest_main(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf = pst_conf_create();

	pst_log_init("puesto-desktop", PST_INFO, 2, false);
	int rc = conf ? session_run(conf, &err) : pst_err_set(&err, PST_ENOMEM, "no memory");
	pst_conf_destroy(conf);
	if (rc < 0)
		pst_error("%s", err.text);
	return rc ? 1 : 0;
}
