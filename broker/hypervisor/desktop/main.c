/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-desktop: makes one local desktop and becomes its process 1, or is that of a container or of a machine.
 *
 *	puesto-desktop --launch DIR     root; returns when the desktop stands
 *	puesto-desktop --contained JSON process 1 of a container, as the desktop's uid
 *	puesto-desktop --session        in a machine of its own: the session, as root; see guest.h
 *	puesto-desktop --personal       in a machine of its own: mounts its user's disk, as root; see personal.h
 *	puesto-desktop --attach DIR FOLDER, --detach DIR FOLDER   root, outside: a user's files; see attach.h
 *	puesto-desktop --keep           in a machine of its own, as root; see keep.h
 *	puesto-desktop --screen WxH     inside, helper
 *	puesto-desktop --wait-wm        inside, helper
 *	puesto-desktop --wait-painted FILE, --wait-file FILE, --wait-card   the same
 *	puesto-desktop --press menu     inside, for panel and icons; also "logoff"
 *
 * The launcher holds a lock on DIR/lock and hands it to process 1, so whoever gets that
 * lock knows that no desktop lives there. It writes DIR/pid before process 1 may go on:
 * a desktop that nobody could find again never runs.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"
#include "broker/hypervisor/desktop/attach.h"
#include "broker/hypervisor/desktop/card.h"
#include "broker/hypervisor/desktop/confine.h"
#include "broker/hypervisor/desktop/contained.h"
#include "broker/hypervisor/desktop/display.h"
#include "broker/hypervisor/desktop/guest.h"
#include "broker/hypervisor/desktop/home.h"
#include "broker/hypervisor/desktop/init.h"
#include "broker/hypervisor/desktop/keep.h"
#include "broker/hypervisor/desktop/launch.h"
#include "broker/hypervisor/desktop/mounts.h"
#include "broker/hypervisor/desktop/painted.h"
#include "broker/hypervisor/desktop/personal.h"
#include "broker/hypervisor/desktop/screen.h"
#include "broker/hypervisor/desktop/session.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETUP_TIMEOUT_MS 20000

struct starter {
	struct launch launch;
	int lock;
	int log;   /* DIR/log: process 1's own words */
	int output; /* DIR/output: what its services say */
	int go[2]; /* launcher → process 1: you are written down */
	int up[2]; /* process 1 → launcher: "" when it stands, or why not */
};

static int loopback_up(struct pst_err *err)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &req);

	if (rc < 0)
		pst_err_sys(err, PST_EIO, errno, "set up the loopback interface");
	pst_fd_close(&fd);
	return rc < 0 ? err->code : 0;
}

static int inside_setup(const struct launch *l, struct session *s, struct pst_err *err)
{
	unsigned display;

	if (sethostname(l->hostname, strlen(l->hostname)) < 0)
		return pst_err_sys(err, PST_EIO, errno, "set the host name");
	if (!l->network && loopback_up(err) < 0)
		return err->code;
	if (mounts_enter(l, err) < 0 || home_make("/etc/skel", DESKTOP_HOME, l->uid, err) < 0 || confine_limits(l, err) < 0 ||
		confine_drop(l, err) < 0 || display_hold(l->uid, &display, err) < 0 || session_init(s, l, display, err) < 0)
		return err->code;
	return session_cookie(err);
}

/* Process 1. */
static _Noreturn void inside(struct starter *st)
{
	struct pst_err err = PST_ERR_INIT;
	struct session session;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char go;
	int rc;

	/* Whoever reads the launcher's stderr must see its end. */
	dup2(null, 0);
	dup2(st->output, 1);
	dup2(st->output, 2);
	close(st->go[1]);
	close(st->up[0]);
	if (read(st->go[0], &go, 1) != 1)
		_exit(1); /* the launcher died before it wrote us down */
	close(st->go[0]);
	umask(022);
	pst_log_init("desktop", PST_INFO, st->log, false);
	if (inside_setup(&st->launch, &session, &err) < 0) {
		pst_error("%s", err.text);
		(void)!write(st->up[1], err.text, strlen(err.text));
		_exit(1);
	}
	launch_finish(&st->launch);
	(void)!write(st->up[1], "", 1);
	close(st->up[1]);
	rc = init_run(&session, st->output);
	session_finish(&session);
	_exit(rc);
}

static int cgroups_join(const struct launch *l, struct pst_err *err)
{
	for (size_t i = 0; i < l->cgroups_n; i++) {
		char path[PATH_MAX];
		int fd;

		if (path_make(path, err, "%s/cgroup.procs", l->cgroups[i]) < 0)
			return err->code;
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1) {
			pst_err_sys(err, PST_EIO, errno, "join %s", path);
			pst_fd_close(&fd);
			return err->code;
		}
		close(fd);
	}
	return 0;
}

static int append_open(const char *dir, const char *name, int *ret_fd, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s/%s", dir, name) < 0)
		return err->code;
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_fd < 0)
		return pst_err_sys(err, PST_EIO, errno, "open %s", path);
	return 0;
}

static int files_open(struct starter *st, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s/lock", st->launch.dir) < 0)
		return err->code;
	st->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (st->lock < 0)
		return pst_err_sys(err, PST_EIO, errno, "open %s", path);
	if (flock(st->lock, LOCK_EX | LOCK_NB) < 0)
		return pst_err_sys(err, PST_EBUSY, errno, "a desktop already lives in %s", st->launch.dir);
	if (append_open(st->launch.dir, "log", &st->log, err) < 0 ||
		append_open(st->launch.dir, "output", &st->output, err) < 0)
		return err->code;
	if (pipe2(st->go, O_CLOEXEC) < 0 || pipe2(st->up, O_CLOEXEC) < 0)
		return pst_err_sys(err, PST_EIO, errno, "pipe");
	return 0;
}

static pid_t inside_fork(const struct launch *l)
{
	unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	if (!l->network)
		flags |= CLONE_NEWNET;
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
}

/* Waits for process 1's word; anything but one zero byte is the reason it failed. */
static int up_wait(struct starter *st, struct pst_err *err)
{
	struct pollfd fd = { .fd = st->up[0], .events = POLLIN };
	char text[400];
	ssize_t n;

	if (poll(&fd, 1, SETUP_TIMEOUT_MS) <= 0)
		return pst_err_set(err, PST_ETIMEOUT, "setting up took more than %d s", SETUP_TIMEOUT_MS / 1000);
	n = read(st->up[0], text, sizeof(text) - 1);
	if (n == 1 && text[0] == '\0')
		return 0;
	if (n <= 0)
		return pst_err_set(err, PST_EIO, "process 1 died while setting up");
	text[n] = '\0';
	return pst_err_set(err, PST_EIO, "%s", text);
}

static int write_down(struct starter *st, pid_t pid, struct pst_err *err)
{
	struct process_id id;
	char path[PATH_MAX];

	if (path_make(path, err, "%s/pid", st->launch.dir) < 0 || process_identify(pid, &id, err) < 0 || process_save(&id, path, err) < 0)
		return err->code;
	if (write(st->go[1], "g", 1) != 1)
		return pst_err_sys(err, PST_EIO, errno, "release process 1");
	return 0;
}

static int launch_one(struct starter *st, const char *dir, struct pst_err *err)
{
	pid_t pid;
	int rc;

	if (launch_read(&st->launch, dir, err) < 0 || files_open(st, err) < 0 ||
		cgroups_join(&st->launch, err) < 0)
		return err->code;
	setsid();
	signal(SIGPIPE, SIG_IGN);
	pid = inside_fork(&st->launch);
	if (pid == 0)
		inside(st);
	if (pid < 0)
		return pst_err_sys(err, PST_EIO, errno, "make namespaces");
	close(st->go[0]);
	close(st->up[1]);
	rc = write_down(st, pid, err);
	if (rc == 0)
		rc = up_wait(st, err);
	if (rc < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return rc;
}

static int launch_main(char *dir)
{
	struct starter st = { .lock = -1, .log = -1, .output = -1 };
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];

	/* Process 1 keeps this argv for ever: the desktop need not read where it lies. */
	if (!realpath(dir, path)) {
		fprintf(stderr, "%s: %s\n", dir, strerror(errno));
		return 1;
	}
	memset(dir, 0, strlen(dir));
	syscall(SYS_close_range, 3u, ~0u, 0u);
	if (launch_one(&st, path, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return 0;
}

static int contained_setup(struct launch *l, const char *text, struct session *s, struct pst_err *err)
{
	unsigned display;

	if (launch_parse(l, text, err) < 0 || contained_dirs(l, err) < 0 || home_make("/etc/skel", DESKTOP_HOME, l->uid, err) < 0 ||
		confine_limits(l, err) < 0 || confine_contained(l, err) < 0 || display_hold(l->uid, &display, err) < 0 ||
		session_init(s, l, display, err) < 0)
		return err->code;
	return session_cookie(err);
}

/* The engine keeps what we say, so what the services say goes to a file that has a ceiling. */
static int contained_main(const char *text)
{
	struct pst_err err = PST_ERR_INIT;
	struct launch launch;
	struct session session;
	int output = open("/run/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	umask(022);
	pst_log_init("desktop", PST_INFO, 2, false);
	if (contained_setup(&launch, text, &session, &err) < 0) {
		pst_error("%s", err.text);
		return 1;
	}
	launch_finish(&launch);
	rc = init_run(&session, output);
	session_finish(&session);
	return rc;
}

/* Each has a word after it, or none. */
static const struct {
	const char *option;
	int (*with)(const char *word);
	int (*without)(void);
} helpers[] = {
	{ "--session", NULL, guest_main },
	{ "--personal", NULL, personal_main },
	{ "--contained", contained_main, NULL },
	{ "--screen", screen_setup, NULL },
	{ "--press", screen_press, NULL },
	{ "--wait-wm", NULL, screen_wait_wm },
	{ "--wait-painted", painted_wait, NULL },
	{ "--wait-file", file_wait, NULL },
	{ "--wait-card", NULL, card_wait },
	{ "--keep", NULL, keep_main },
};

/* From outside, in a desktop that runs. */
static const struct {
	const char *option;
	int argc;
	int (*run)(char **words);
} visits[] = {
	{ "--attach", 6, attach_main },
	{ "--detach", 4, detach_main },
	{ "--attach-check", 3, attach_check_main },
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--launch") == 0)
		return launch_main(argv[2]);
	for (size_t i = 0; argc > 1 && i < PST_ARRAY_LEN(visits); i++) {
		if (strcmp(visits[i].option, argv[1]) == 0 && argc == visits[i].argc)
			return visits[i].run(argv + 2);
	}
	for (size_t i = 0; argc > 1 && i < PST_ARRAY_LEN(helpers); i++) {
		if (strcmp(helpers[i].option, argv[1]) != 0)
			continue;
		if (argc == 2 && helpers[i].without)
			return helpers[i].without();
		if (argc == 3 && helpers[i].with)
			return helpers[i].with(argv[2]);
	}
	fprintf(stderr, "usage: puesto-desktop --launch DIRECTORY\n"
		"Started by puesto-provisioner; see puesto-provisioner(8).\n");
	return 2;
}
