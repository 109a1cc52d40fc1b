/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found by its name in sysfs, so that no udev is needed. A port that nobody holds open on the host reads as
 * ended: it is asked again. */
#include "agent/seed/port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/secret.h"

#define WAITING "{\"seed\":\"waiting\"}\n"
#define CLOSED_PAUSE_NS 20000000

static bool is_named(const char *root, const char *port, const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], *text = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/sys/class/virtio-ports/%s/name", root, port);
	if (pst_file_read(path, 256, &text, &len, &err) < 0)
		return false;
	text[strcspn(text, "\n")] = 0;
	bool is_it = strcmp(text, name) == 0;
	free(text);
	return is_it;
}

int port_open(const char *root, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	int fd = PST_ENOTFOUND;

	snprintf(path, sizeof(path), "%s/sys/class/virtio-ports", root);
	DIR *dir = opendir(path);
	while (dir && fd == PST_ENOTFOUND && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || !is_named(root, e->d_name, name))
			continue;
		snprintf(path, sizeof(path), "%s/dev/%s", root, e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			fd = pst_err_sys(err, PST_EIO, errno, "%s", path);
	}
	if (dir)
		closedir(dir);
	return fd == PST_ENOTFOUND ? pst_err_set(err, fd, "this machine has no port %s", name) : fd;
}

/* Bytes up to now, 0 for a port that is closed on the host. */
static ssize_t some_read(int fd, char *out, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = read(fd, out, size);

	while (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (poll(&p, 1, -1) > 0 && (p.revents & POLLHUP) && !(p.revents & POLLIN))
			return 0;
		n = read(fd, out, size);
	}
	return n;
}

static int line_take(struct pst_buf *b, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	const char *text = pst_buf_cstr(b);

	if (!text)
		return pst_err_set(err, PST_EINVAL, "the seed is too long");
	char *end = strchr(text, '\n');
	if (!end)
		return PST_EAGAIN;
	*ret_len = (size_t)(end - text);
	*ret_text = strndup(text, *ret_len);
	return *ret_text ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for the seed");
}

int port_wait(int fd, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	const struct timespec pause = { .tv_nsec = CLOSED_PAUSE_NS };
	bool is_told = false;
	struct pst_buf b;
	char bytes[4096];
	int rc = PST_EAGAIN;

	pst_buf_init(&b, max + 1);
	while (rc == PST_EAGAIN) {
		if (!is_told)
			is_told = write(fd, WAITING, strlen(WAITING)) == (ssize_t)strlen(WAITING);
		ssize_t n = some_read(fd, bytes, sizeof(bytes));
		if (n < 0) {
			rc = pst_err_sys(err, PST_EIO, errno, "the seed's port");
		} else if (n == 0) {
			is_told = false;
			pst_buf_reset(&b);
			nanosleep(&pause, NULL);
		} else {
			pst_buf_append(&b, bytes, (size_t)n);
			rc = line_take(&b, ret_text, ret_len, err);
		}
	}
	if (b.data)
		pst_wipe(b.data, b.cap);
	pst_buf_finish(&b);
	return rc;
}

void port_answer(int fd, const char *reason)
{
	json_t *o = reason ? json_pack("{s:s, s:s}", "seed", "refused", "reason", reason)
			   : json_pack("{s:s}", "seed", "applied");
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text)
		(void)!dprintf(fd, "%s\n", text);
	free(text);
	json_decref(o);
}
