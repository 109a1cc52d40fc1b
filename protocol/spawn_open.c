/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connects a desktop's display link step by step. */
#include "protocol/spawn_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool spawn_is_desktop(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(s) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i]; i++) {
		bool is_hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');

		if (form[i] == '-' ? s[i] != '-' : !is_hex)
			return false;
	}
	return true;
}

/* Opens the next step below dir and closes dir. */
static int step(int dir, const char *name, int flags)
{
	int fd = dir < 0 ? dir : openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | flags);

	if (dir < 0)
		return dir;
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

static int connect_to(int path_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d", path_fd);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int spawn_open_display(const char *desktops_dir, const char *uuid)
{
	struct stat st;
	int fd, rc;

	if (!spawn_is_desktop(uuid))
		return -EINVAL;
	fd = open(desktops_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fd = step(fd, uuid, O_DIRECTORY);
	fd = step(fd, "run", O_DIRECTORY);
	fd = step(fd, "display.sock", 0);
	if (fd < 0)
		return fd;
	rc = fstat(fd, &st) < 0 ? -errno : !S_ISSOCK(st.st_mode) ? -ENOTSOCK : connect_to(fd);
	close(fd);
	return rc;
}
