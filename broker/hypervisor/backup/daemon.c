/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts the daemon without any disk, and adds the disk with all that it stands on by name: nothing is guessed. */
#include "broker/hypervisor/backup/daemon.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/child.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/qemu/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_MAX (UINT64_C(2) << 30)

struct served {
	const struct daemon_params *p;
	struct qmp *qmp;
	struct { char path[PATH_MAX]; enum disk_format format; } chain[DISK_CHAIN_MAX];
	int fds[DISK_CHAIN_MAX]; /* of the chain: Landlock binds the daemon to these very files */
	size_t n;
	struct pst_err *err;
};

static int on_layer(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct served *s = arg;

	if (s->p->is_alone && depth > 0)
		return 0;
	pst_strlcpy(s->chain[depth].path, sizeof(s->chain[depth].path), path);
	s->chain[depth].format = info->format;
	s->fds[depth] = disk_open(path, NULL, s->err);
	s->n = depth + 1;
	return s->fds[depth] < 0 ? s->fds[depth] : 0;
}

/* One that was a file alone: its header may name what is no more. */
static int chain_open(struct served *s, struct pst_err *err)
{
	struct disk_info info = { .format = DISK_QCOW2 };
	int rc;

	s->err = err;
	rc = s->p->is_alone ? on_layer(0, s->p->disk, &info, s) : disk_chain_walk(s->p->disk, DISK_QCOW2, NULL, on_layer, s, NULL, err);
	if (rc == 0 && disk_has_writer(s->fds[0]))
		rc = pst_err_set(err, PST_EBUSY, "%.200s: is in use", s->p->disk);
	return rc;
}

static json_t *node(const char *driver, const char *path, bool is_read_only)
{
	return json_pack("{s:s, s:b, s:{s:s, s:s, s:b}}", "driver", driver, "read-only", (int)is_read_only, "file", "driver", "file", "filename", path,
		"read-only", (int)is_read_only);
}

/* The disk, and in it all that it stands on. */
static json_t *disk_json(const struct served *s)
{
	json_t *below = json_null(), *o = NULL;

	for (size_t i = s->n; i-- > 0;) {
		bool is_qcow2 = s->chain[i].format == DISK_QCOW2;

		o = node(is_qcow2 ? "qcow2" : "raw", s->chain[i].path, i > 0 || s->p->is_alone);
		if (is_qcow2)
			json_object_set_new(o, "backing", below);
		below = o;
	}
	json_object_set_new(o, "node-name", json_string("disk"));
	return o;
}

static int on_ask(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err)
{
	struct served *s = arg;

	return qmp_call_all(s->qmp, commands, -1, ret, s->p->deadline_ms, err);
}

static int serve(struct served *s, struct pst_err *err)
{
	struct blocks b = { .ask = on_ask, .arg = s };
	int rc = qmp_call(s->qmp, "blockdev-add", disk_json(s), NULL, s->p->deadline_ms, err);

	if (rc < 0 && strstr(err->text, " lock"))
		return err->code = PST_EBUSY;
	if (rc == 0)
		rc = s->p->talk(s->p->arg, &b, err);
	/* What it has in memory of bitmaps is written when it ends by itself. */
	return rc < 0 ? rc : qmp_quit(s->qmp, s->p->deadline_ms, err);
}

static int on_talk(void *arg, int fd, struct pst_err *err)
{
	struct served *s = arg;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), rc;

	if (own < 0)
		return pst_err_sys(err, PST_ELIMIT, errno, "dup");
	s->qmp = qmp_open_fd(own, PST_MIN(s->p->deadline_ms, pst_mono_ms() + 30000), err);
	if (!s->qmp)
		return err->code;
	rc = serve(s, err);
	qmp_close(s->qmp);
	return rc;
}

static int run(struct served *s, struct pst_err *err)
{
	const char *const argv[] = { s->p->program, "--chardev", "socket,id=m,fd=0,server=off", "--monitor", "m", NULL };
	int writes[2] = { s->p->target_fd, s->fds[0] };
	uint64_t now = pst_mono_ms(), left = s->p->deadline_ms > now ? s->p->deadline_ms - now : 1;
	struct sandbox_params params = { .memory_max = MEMORY_MAX, .file_max = s->p->file_max, .cpu_s_max = (uint32_t)(left / 1000 + 1),
		.read_fds = s->fds, .n_read = s->n, .write_fd = -1, .write_fds = s->p->target_fd < 0 ? writes + 1 : writes,
		.n_write = (size_t)(s->p->target_fd >= 0) + !s->p->is_alone };
	struct child_params child = { .argv = argv, .timeout_ms = (uint32_t)PST_MIN(left, (uint64_t)UINT32_MAX), .cancel_fd = -1, .talk = on_talk,
		.arg = s };
	struct sandbox sandbox;
	int rc = sandbox_init(&sandbox, &params, err);

	if (rc < 0)
		return rc;
	child.sandbox = &sandbox;
	rc = child_run(&child, err);
	sandbox_finish(&sandbox);
	return rc;
}

int daemon_run(const struct daemon_params *p, struct pst_err *err)
{
	struct served *s = pst_zalloc(1, sizeof(*s));
	struct stat st;
	int rc;

	if (!s)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	s->p = p;
	for (size_t i = 0; i < DISK_CHAIN_MAX; i++)
		s->fds[i] = -1;
	rc = chain_open(s, err);
	if (rc == 0 && fstat(s->fds[0], &st) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%.200s", p->disk);
	if (rc == 0) {
		rc = run(s, err);
		if (!p->is_alone && (fchown(s->fds[0], st.st_uid, st.st_gid) < 0 || fchmod(s->fds[0], st.st_mode & 07777) < 0) && rc == 0)
			rc = pst_err_sys(err, PST_EIO, errno, "%.200s", p->disk);
	}
	for (size_t i = 0; i < DISK_CHAIN_MAX; i++)
		pst_fd_close(&s->fds[i]);
	free(s);
	return rc;
}
