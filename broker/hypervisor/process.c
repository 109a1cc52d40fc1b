/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells one process from a later one with the same pid. */
#include "broker/hypervisor/process.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Files in /proc have no size, so they are read by hand. */
static int proc_read(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return PST_ENOTFOUND;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return PST_ENOTFOUND;
	out[n] = '\0';
	return 0;
}

int process_boot(char out[PROCESS_BOOT_SIZE], struct pst_err *err)
{
	if (proc_read("/proc/sys/kernel/random/boot_id", out, PROCESS_BOOT_SIZE) < 0)
		return pst_err_sys(err, PST_EIO, errno, "read /proc/sys/kernel/random/boot_id");
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

int process_start_time(pid_t pid, uint64_t *ret_start)
{
	char path[64], text[1024], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (proc_read(path, text, sizeof(text)) < 0)
		return PST_ENOTFOUND;
	/* The command's name may hold anything, so fields are counted from the last ')'. */
	p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, " %" SCNu64, ret_start) != 1)
		return PST_ENOTFOUND;
	return 0;
}

int process_identify(pid_t pid, struct process_id *ret_id, struct pst_err *err)
{
	struct process_id id = { .pid = pid };

	if (process_start_time(pid, &id.start) < 0)
		return pst_err_set(err, PST_ENOTFOUND, "process %d is gone", (int)pid);
	if (process_boot(id.boot, err) < 0)
		return err->code;
	*ret_id = id;
	return 0;
}

/* A zombie that nobody reaps yet is as dead as can be; its pidfd is readable. */
static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

int process_open(const struct process_id *id, struct pst_err *err)
{
	struct process_id now;
	int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);

	/* The descriptor is taken first: what is compared afterwards is what it holds. */
	if (fd < 0 && errno != ESRCH)
		return pst_err_sys(err, PST_EIO, errno, "pidfd_open %d", (int)id->pid);
	if (fd >= 0 && process_identify(id->pid, &now, err) == 0 && now.start == id->start &&
		strcmp(now.boot, id->boot) == 0 && !has_ended(fd))
		return fd;
	pst_fd_close(&fd);
	return pst_err_set(err, PST_ENOTFOUND, "process %d is gone", (int)id->pid);
}

int process_save(const struct process_id *id, const char *path, struct pst_err *err)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"start\":%" PRIu64 ",\"boot\":\"%s\"}\n",
		(int)id->pid, id->start, id->boot);

	return pst_file_write(path, text, (size_t)n, 0600, err);
}

int process_load(const char *path, struct process_id *ret_id, struct pst_err *err)
{
	struct process_id id;
	int64_t pid, start;
	const char *boot;
	json_t *obj;
	char *text;
	size_t len;
	int rc = 0;

	if (pst_file_read(path, 4096, &text, &len, err) < 0)
		return err->code;
	obj = pst_json_parse(text, len, 2, err);
	free(text);
	if (!obj || pst_json_need_int(obj, "pid", 2, INT_MAX, &pid, err) < 0 ||
		pst_json_need_int(obj, "start", 0, INT64_MAX, &start, err) < 0 ||
		pst_json_need_str(obj, "boot", PROCESS_BOOT_SIZE - 1, &boot, err) < 0) {
		rc = pst_err_wrap(err, "%s", path);
	} else {
		id.pid = (pid_t)pid;
		id.start = (uint64_t)start;
		pst_strlcpy(id.boot, sizeof(id.boot), boot);
		*ret_id = id;
	}
	json_decref(obj);
	return rc;
}
