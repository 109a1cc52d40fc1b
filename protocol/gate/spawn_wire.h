/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the gate may ask of the spawner: packets of one fixed size over a SOCK_SEQPACKET pair, with file descriptors beside them. The
 * spawner is the only part of the gateway that keeps root, so this is all that it ever reads.
 */
#pragma once

#include <stdint.h>

#define SPAWN_FDS_MAX 2

/* Exit statuses of a worker that carry a meaning. */
#define WORKER_EXIT_SCREEN_GONE 70 /* the desktop cut its shared screen short */

enum spawn_op {
	SPAWN_WORKER = 1,  /* fds: control channel, client stream (of a seat: its display link). Answer: pid or error */
	SPAWN_CONNECT,     /* the display link of a desktop, on this host or, with host and port, on another. Answer: one fd or error */
	SPAWN_CREDENTIALS, /* the certificate and key files, opened anew. Answer: two fds or error */
	SPAWN_KILL,        /* the worker of this serial. No answer; SPAWN_EXITED follows */
	SPAWN_EXITED,      /* spawner → gate: a worker ended, status as from waitpid */
};

enum spawn_front { SPAWN_FRONT_WS, SPAWN_FRONT_RDP, SPAWN_FRONT_RFB, SPAWN_FRONT_SEAT /* no front: a machine's screen for a worker */, SPAWN_FRONTS };

struct spawn_request {
	uint32_t op;
	uint32_t serial; /* chosen by the gate; a worker's serial names it for its life */
	uint32_t front;
	char desktop[40]; /* SPAWN_CONNECT: uuid in lower case, NUL-terminated */
	char host[48];    /* SPAWN_CONNECT: numeric address of its agent's port, or "" */
	uint32_t port;
};

struct spawn_reply {
	uint32_t op;
	uint32_t serial;
	int32_t error; /* 0 or errno */
	int32_t pid;
	int32_t status;
	uint32_t uid; /* of the worker */
};
