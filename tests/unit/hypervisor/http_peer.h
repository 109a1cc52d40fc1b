/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An HTTP server in a thread that says what it is told to, for tests of clients. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define PEER_REQUEST_MAX (64 * 1024)

/* One connection after another: reads a whole request, then acts. */
struct http_peer {
	char socket[108];
	int listener;
	pthread_t thread;
	/* What to do with the n-th request; returns false to close the connection. */
	bool (*serve)(struct http_peer *p, unsigned n, int fd);
	void *arg;
	unsigned served;
	char request[PEER_REQUEST_MAX]; /* the last one, head and body */
};

/* Listens on a new socket in dir and serves until http_peer_stop. */
void http_peer_start(struct http_peer *p, const char *dir);
void http_peer_stop(struct http_peer *p);

/* "HTTP/1.1 STATUS x" with a body of that type and length. */
void http_peer_answer(int fd, int status, const char *head, const char *body);
