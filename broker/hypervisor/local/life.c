/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts puesto-desktop (or another helper), finds its process 1 again, kills it, and says why it died. */
#include "broker/hypervisor/local/local_priv.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_TIMEOUT_MS 15000
#define LAUNCH_TIMEOUT_MS 30000
#define ASK_TIMEOUT_MS 3000 /* process 1 gives its services 2 s */

extern char **environ;

static int own_base(const struct local *l, const struct machine_request *r, char out[PATH_MAX], struct pst_err *err)
{
	struct stat st;

	(void)l;
	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) == 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is a hypervisor's; the local provider takes \"host\" or a root tree",
			r->image_name, r->image_base);
	if (strcmp(r->image_base, "host") == 0)
		return path_make(out, err, "/");
	if (stat(r->image_base, &st) < 0 || !S_ISDIR(st.st_mode))
		return pst_err_set(err, PST_EINVAL, "image %s:%s: its base %s is no directory", r->image_name, r->image_version, r->image_base);
	return path_make(out, err, "%s", r->image_base);
}

static json_t *lowers_json(const struct local *l, const struct machine_request *r, struct pst_err *err)
{
	char layer[PATH_MAX], base[PATH_MAX];
	struct stat st;

	if (path_make(layer, err, "%s/layer", r->image_path) < 0)
		return NULL;
	if (stat(layer, &st) < 0 || !S_ISDIR(st.st_mode)) {
		pst_err_set(err, PST_EINVAL, "image %s:%s has no directory %s", r->image_name, r->image_version,
			layer);
		return NULL;
	}
	return own_base(l, r, base, err) < 0 ? NULL : json_pack("[s,s]", layer, base);
}

static int launch_write(const struct local *l, const struct record *r, struct pst_err *err)
{
	const struct machine_request *q = &r->request;
	json_t *lowers, *groups = json_array(), *obj;
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	lowers = lowers_json(l, q, err);
	if (!lowers || cgroup_make(&l->cgroup, q, groups, err) < 0 ||
		desktop_path(l, q->desktop, "launch.json", path, err) < 0) {
		json_decref(lowers);
		json_decref(groups);
		return err->code;
	}
	obj = request_launch(q, r->uid, l->gateway_uid);
	if (obj && json_object_update_new(obj, json_pack("{s:s,s:s,s:o,s:o}", "libexec", l->libexec, "agents", l->agents,
			   "lowers", lowers, "cgroups", groups)) < 0) {
		json_decref(obj);
		obj = NULL;
	}
	text = obj ? pst_json_text(obj, &len) : NULL;
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pst_file_write(path, text, len, 0600, err);
	free(text);
	return rc;
}

/* Its last words, up to the end of its stderr, which is also when it has ended. False when that takes too long. */
static bool words_read(int fd, uint64_t timeout_ms, char *out, size_t size)
{
	uint64_t end = pst_mono_ms() + timeout_ms, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char more[256];
	size_t used = 0;
	ssize_t n = 1;

	while (n > 0 && (now = pst_mono_ms()) < end) {
		if (poll(&p, 1, (int)PST_MIN(end - now, (uint64_t)INT_MAX)) <= 0)
			continue;
		n = read(fd, more, sizeof(more));
		for (ssize_t i = 0; i < n && used + 1 < size; i++)
			out[used++] = more[i];
	}
	while (used > 0 && (out[used - 1] == '\n' || out[used - 1] == ' '))
		used--;
	out[used] = '\0';
	return n <= 0;
}

static pid_t helper_spawn(const char *program, char *const argv[], int err_fd, struct pst_err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	pid_t pid;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&files, 0, 1);
	posix_spawn_file_actions_adddup2(&files, err_fd, 2);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	rc = posix_spawn(&pid, program, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (rc == 0)
		return pid;
	pst_err_sys(err, PST_EIO, rc, "start %s", program);
	return -1;
}

int life_run(const char *program, char *const argv[], uint64_t timeout_ms, const char *desktop, struct pst_err *err)
{
	return life_call(program, argv, timeout_ms, desktop, "its start", err);
}

int life_call(const char *program, char *const argv[], uint64_t timeout_ms, const char *desktop, const char *what, struct pst_err *err)
{
	char words[400] = "";
	bool ended = true;
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return pst_err_sys(err, PST_EIO, errno, "pipe");
	pid = helper_spawn(program, argv, fds[1], err);
	close(fds[1]);
	if (pid > 0)
		ended = words_read(fds[0], timeout_ms, words, sizeof(words));
	close(fds[0]);
	if (pid < 0)
		return err->code;
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "wait for %s", program);
	}
	if (!ended)
		return pst_err_set(err, PST_ETIMEOUT, "desktop %s, %s: %s took too long", desktop, what, program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return pst_err_set(err, PST_EIO, "desktop %s, %s: %s", desktop, what, words[0] ? words : "the helper was killed");
}

static int own_start(const struct local *l, const struct record *r, struct pst_err *err)
{
	char program[PATH_MAX], dir[PATH_MAX];
	/* Process 1 keeps this argv and the desktop can read it: no path in its first word. */
	char *argv[] = { "puesto-desktop", "--launch", dir, NULL };

	if (path_make(program, err, "%s/puesto-desktop", l->libexec) < 0 ||
		desktop_path(l, r->request.desktop, NULL, dir, err) < 0 || launch_write(l, r, err) < 0)
		return err->code;
	return life_run(program, argv, 2 * LAUNCH_TIMEOUT_MS, r->request.desktop, err);
}

int life_open(const struct local *l, const char *desktop, struct pst_err *err)
{
	struct process_id id;
	char path[PATH_MAX];

	if (desktop_path(l, desktop, "pid", path, err) < 0 || process_load(path, &id, err) < 0)
		return err->code;
	return process_open(&id, err);
}

/*
 * Whoever gets the lock knows that neither launcher nor process 1 is there. Process 1's
 * death is seen by its pidfd; only a launcher that is still at work is waited for in steps.
 */
static int lock_wait(const struct local *l, const char *desktop, struct pst_err *err)
{
	static const struct timespec pause = { 0, 10 * 1000 * 1000 };
	uint64_t end = pst_mono_ms() + LAUNCH_TIMEOUT_MS;
	char path[PATH_MAX];
	int fd, rc;

	if (desktop_path(l, desktop, "lock", path, err) < 0)
		return err->code;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : pst_err_sys(err, PST_EIO, errno, "open %s", path);
	while ((rc = flock(fd, LOCK_EX | LOCK_NB)) < 0 && pst_mono_ms() < end) {
		struct pst_err ignored = PST_ERR_INIT;
		int pidfd = life_open(l, desktop, &ignored);

		if (pidfd >= 0)
			syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		pst_fd_close(&pidfd);
		nanosleep(&pause, NULL);
	}
	close(fd);
	if (rc < 0)
		return pst_err_set(err, PST_ETIMEOUT, "desktop %s is still starting or cannot be killed", desktop);
	return 0;
}

/* Of a desktop that we are the parent or reaper of; of another one its own parent does it. */
void life_reap(const struct local *l, const char *desktop)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct process_id id;
	char path[PATH_MAX];

	if (desktop_path(l, desktop, "pid", path, &ignored) == 0 && process_load(path, &id, &ignored) == 0)
		waitpid(id.pid, NULL, WNOHANG);
}

void life_ask(const struct local *l, const char *desktop)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = life_open(l, desktop, &ignored);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0)
		return;
	syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	poll(&p, 1, ASK_TIMEOUT_MS);
	close(pidfd);
}

int life_end(const struct local *l, const char *desktop, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;
	int pidfd = life_open(l, desktop, &ignored);

	if (pidfd >= 0) {
		struct pollfd p = { .fd = pidfd, .events = POLLIN };

		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		if (poll(&p, 1, KILL_TIMEOUT_MS) <= 0) {
			close(pidfd);
			return pst_err_set(err, PST_ETIMEOUT, "desktop %s does not die (a process hangs in the kernel)",
				desktop);
		}
		close(pidfd);
	}
	life_reap(l, desktop);
	return l->life->settle(l, desktop, err);
}

void life_reason(const struct local *l, const char *desktop, char out[MACHINE_REASON_SIZE])
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], tail[300];
	int fd = -1;
	ssize_t n = -1;

	if (desktop_path(l, desktop, "log", path, &err) == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		off_t size = lseek(fd, 0, SEEK_END);

		n = pread(fd, tail, sizeof(tail) - 1, PST_MAX(size - (off_t)sizeof(tail) + 1, (off_t)0));
	}
	pst_fd_close(&fd);
	if (n <= 0) {
		pst_strlcpy(out, MACHINE_REASON_SIZE, "the desktop was killed; its log is empty");
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if ((unsigned char)tail[i] < ' ' || (unsigned char)tail[i] >= 0x7f)
			tail[i] = tail[i] == '\n' ? ';' : ' ';
	}
	tail[n] = '\0';
	snprintf(out, MACHINE_REASON_SIZE, "the desktop ended or was killed; the end of its log: %s", tail);
}

static int own_remove(const struct local *l, const char *desktop, struct pst_err *err)
{
	return cgroup_remove(&l->cgroup, desktop, err);
}

static void own_faults(const struct local *l, char *out, size_t size)
{
	char path[PATH_MAX];

	if (path_make(path, NULL, "%s/puesto-desktop", l->libexec) < 0 || access(path, X_OK) < 0)
		snprintf(out, size, "%.200s/puesto-desktop is missing: install Puesto's helper programs", l->libexec);
}

const struct local_life life_own = {
	.folder = "desktops",
	.can = DRIVER_POWER | DRIVER_PERSONAL,
	.uid_lowest = 200000,
	.base = own_base,
	.start = own_start,
	.settle = lock_wait,
	.remove = own_remove,
	.faults = own_faults,
};
