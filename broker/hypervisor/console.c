/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dials consoles. */
#include "broker/hypervisor/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tls_pipe.h"
#include "base/unixsock.h"

static int path_dial(const char *path, struct pst_err *err)
{
	char place[32];
	struct stat st;
	int step = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd;

	if (step < 0)
		return pst_err_sys(err, errno == ENOENT ? PST_ENOTFOUND : PST_EIO, errno, "the console's socket %s", path);
	if (fstat(step, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		close(step);
		return pst_err_set(err, PST_EIO, "%s is no socket", path);
	}
	snprintf(place, sizeof(place), "/proc/self/fd/%d", step);
	fd = pst_unix_connect(place, err);
	close(step);
	return fd < 0 ? pst_err_set(err, fd, "nobody answers at the console's socket %s", path) : fd;
}

static int address_dial(const struct machine_endpoint *e, struct pst_err *err)
{
	int fd = pst_tcp_dial(e->address, e->port, err), fault = ETIMEDOUT;
	struct pollfd wait = { fd, POLLOUT, 0 };
	socklen_t len = sizeof(fault);

	if (fd < 0)
		return fd;
	if (poll(&wait, 1, CONSOLE_DIAL_MS) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &len);
	if (!fault)
		return fd;
	close(fd);
	return pst_err_sys(err, fault == ETIMEDOUT ? PST_ETIMEOUT : PST_ECLOSED, fault, "the console at %s port %u", e->address, e->port);
}

int console_dial(const struct machine_endpoint *e, struct pst_err *err)
{
	if (e->kind != ENDPOINT_RFB && (e->kind != ENDPOINT_RDP || e->address[0] == '/'))
		return pst_err_set(err, PST_EUNSUPPORTED, "its console is of a kind that cannot be shown");
	return e->address[0] == '/' ? path_dial(e->address, err) : address_dial(e, err);
}
