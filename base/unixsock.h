/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unix sockets: paths of any length, peer credentials, descriptors as messages. Every
 * descriptor made here is CLOEXEC and non-blocking. Any thread.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Descriptors accepted in one message; more are closed on arrival. */
#define PST_FD_MAX 8

struct pst_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/*
 * Binds and listens on a stream socket at path with the given mode. A stale socket that
 * nobody answers is replaced; a live one is PST_EBUSY. Returns the descriptor (owned).
 */
int pst_unix_listen(const char *path, mode_t mode, int backlog, struct pst_err *err);

/* Returns a connected descriptor (owned), PST_ENOTFOUND or PST_ECLOSED when nobody listens. */
int pst_unix_connect(const char *path, struct pst_err *err);

/* Accepts one; returns the descriptor (owned), PST_EAGAIN or another PST_E.... */
int pst_unix_accept(int listener);

/* A connected pair of stream sockets, or of SOCK_SEQPACKET ones. */
int pst_unix_pair(int ret_fds[2], struct pst_err *err);
int pst_unix_pair_packet(int ret_fds[2], struct pst_err *err);

int pst_unix_peer(int fd, struct pst_peer *ret_peer, struct pst_err *err);

/*
 * One sendmsg with n (<= PST_FD_MAX) descriptors, which stay the caller's. Returns bytes
 * sent (the descriptors travel with the first byte), PST_EAGAIN, PST_ECLOSED or PST_EIO.
 * len must be > 0 when n > 0.
 */
ssize_t pst_fd_send(int sock, const void *data, size_t len, const int *fds, size_t n);

/*
 * One recvmsg. Returns bytes (0 at end of stream), PST_EAGAIN, PST_ECLOSED, PST_EIO, or
 * PST_EPROTO when more than max_fds descriptors came (all of them are closed then).
 * ret_fds gets *ret_n owned CLOEXEC descriptors. max_fds <= PST_FD_MAX.
 */
ssize_t pst_fd_recv(int sock, void *data, size_t len, int *ret_fds, size_t max_fds,
	size_t *ret_n);

int pst_fd_set_nonblock(int fd, int on);

/* Closes and sets to -1; keeps errno; accepts -1. */
void pst_fd_close(int *fd);
