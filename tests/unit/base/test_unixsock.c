/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unix sockets: long paths, stale names, credentials and travelling descriptors. */
#include "base/unixsock.h"

#include "base/file.h"
#include "tests/unit/base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static void await_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	cr_assert_eq(poll(&p, 1, 5000), 1);
}

static void listen_and_connect(const char *path)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_peer peer;
	struct stat st;
	int listener = pst_unix_listen(path, 0640, 5, &err);

	cr_assert_geq(listener, 0, "%s", err.text);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0640);
	cr_assert_eq(pst_unix_accept(listener), PST_EAGAIN);
	cr_assert_eq(pst_unix_listen(path, 0640, 5, &err), PST_EBUSY);

	int client = pst_unix_connect(path, &err);
	cr_assert_geq(client, 0, "%s", err.text);
	await_readable(listener);
	int server = pst_unix_accept(listener); /* the one that PST_EBUSY was found out with */
	pst_fd_close(&server);
	server = pst_unix_accept(listener);
	cr_assert_geq(server, 0);
	cr_assert_eq(pst_unix_peer(server, &peer, &err), 0);
	cr_assert_eq(peer.pid, getpid());
	cr_assert_eq(peer.uid, getuid());
	cr_assert(fcntl(server, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(client, F_GETFL) & O_NONBLOCK);
	pst_fd_close(&server);
	pst_fd_close(&client);
	pst_fd_close(&listener);

	/* The name stays behind, stale: nobody answers, and it can be taken over. */
	cr_assert_eq(pst_unix_connect(path, &err), PST_ECLOSED);
	listener = pst_unix_listen(path, 0600, 5, &err);
	cr_assert_geq(listener, 0, "%s", err.text);
	pst_fd_close(&listener);
}

Test(unixsock, listens_on_short_and_long_paths)
{
	char dir[64], path[400];

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/s", dir);
	listen_and_connect(path);
	snprintf(path, sizeof(path), "%s/%0100d/%0100d", dir, 1, 2);
	cr_assert_eq(pst_mkdirs(path, 0700, NULL), 0);
	strcat(path, "/display.sock");
	listen_and_connect(path);
	temp_dir_remove(dir);
}

Test(unixsock, refuses_what_cannot_be)
{
	struct pst_err err;
	char dir[64], path[400];

	temp_dir_make(dir);
	snprintf(path, sizeof(path), "%s/%0150d", dir, 7);
	cr_assert_eq(pst_unix_listen(path, 0600, 5, &err), PST_ELIMIT);
	snprintf(path, sizeof(path), "%s/%0100d/x", dir, 7);
	cr_assert_eq(pst_unix_connect(path, &err), PST_ENOTFOUND);
	cr_assert_eq(pst_unix_connect("/", &err), PST_EINVAL);
	snprintf(path, sizeof(path), "%s/none", dir);
	cr_assert_eq(pst_unix_connect(path, &err), PST_ENOTFOUND);
	snprintf(path, sizeof(path), "%s/file", dir);
	cr_assert_eq(pst_file_write(path, "x", 1, 0600, NULL), 0);
	cr_assert_eq(pst_unix_listen(path, 0600, 5, &err), PST_ECONFLICT);
	temp_dir_remove(dir);
}

Test(unixsock, descriptors_travel)
{
	int pair[2], fds[PST_FD_MAX], pipe_fds[2], null = open("/dev/null", O_RDONLY);
	char byte[16];
	size_t n;

	cr_assert_eq(pst_unix_pair(pair, NULL), 0);
	cr_assert_eq(pipe(pipe_fds), 0);
	cr_assert_eq(pst_fd_recv(pair[1], byte, 1, fds, 8, &n), PST_EAGAIN);
	int out[3] = { pipe_fds[1], null, null };
	cr_assert_eq(pst_fd_send(pair[0], "abc", 3, out, 3), 3);
	cr_assert_eq(pst_fd_recv(pair[1], byte, sizeof(byte), fds, 8, &n), 3);
	cr_assert_eq(n, 3);
	cr_assert(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	cr_assert_eq(write(fds[0], "hi", 2), 2);
	cr_assert_eq(read(pipe_fds[0], byte, 2), 2);
	for (size_t i = 0; i < n; i++)
		pst_fd_close(&fds[i]);
	cr_assert_eq(fds[0], -1);
	pst_fd_close(&fds[0]);

	cr_assert_eq(pst_fd_send(pair[0], "x", 1, NULL, 0), 1);
	cr_assert_eq(pst_fd_recv(pair[1], byte, 1, fds, 8, &n), 1);
	cr_assert_eq(n, 0);
	pst_fd_close(&pair[0]);
	cr_assert_eq(pst_fd_recv(pair[1], byte, 1, fds, 8, &n), 0);
	cr_assert_eq(pst_fd_send(pair[1], "x", 1, NULL, 0), PST_ECLOSED);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

Test(unixsock, too_many_descriptors_are_closed)
{
	int pair[2], fds[PST_FD_MAX], out[PST_FD_MAX];
	char byte[4];
	size_t n;

	cr_assert_eq(pst_unix_pair_packet(pair, NULL), 0);
	for (int i = 0; i < PST_FD_MAX; i++)
		out[i] = pair[0];
	int before = count_fds();
	cr_assert_eq(pst_fd_send(pair[0], "x", 1, out, PST_FD_MAX), 1);
	cr_assert_eq(pst_fd_recv(pair[1], byte, 1, fds, 2, &n), PST_EPROTO);
	cr_assert_eq(n, 0);
	cr_assert_eq(count_fds(), before);
	cr_assert_eq(pst_fd_set_nonblock(pair[0], 0), 0);
	cr_assert(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK));
	cr_assert_eq(pst_fd_set_nonblock(-1, 0), PST_EIO);
	struct pst_peer peer;
	cr_assert_eq(pst_unix_peer(0, &peer, NULL), PST_EIO);
}
