/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Holds the abstract name of an X display; see display.h. */
#include "broker/hypervisor/desktop/display.h"

#include "base/hash.h"
#include "base/unixsock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TRIES 32
#define RANDOM_FROM 1000000000u /* far from uids, within what the X server takes for a number */
#define RANDOM_MASK 0x3fffffffu

static int name_take(int fd, unsigned number)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int len = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "/tmp/.X11-unix/X%u", number);

	return bind(fd, (const struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len));
}

static unsigned any_number(void)
{
	unsigned n;

	pst_random(&n, sizeof(n));
	return RANDOM_FROM + (n & RANDOM_MASK);
}

int display_hold(uid_t uid, unsigned *ret_number, struct pst_err *err)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = fd < 0 ? -1 : 0;
	unsigned number = (unsigned)uid;

	if (rc == 0)
		rc = name_take(fd, number);
	for (int i = 0; rc < 0 && errno == EADDRINUSE && i < TRIES; i++) {
		number = any_number();
		rc = name_take(fd, number);
	}
	if (rc < 0) {
		pst_err_sys(err, PST_EBUSY, errno, "hold the name of an X display");
		pst_fd_close(&fd);
		return err->code;
	}
	*ret_number = number; /* the descriptor stays open as long as the process */
	return 0;
}
