/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The privileged part of the gateway: starts workers under uids of their own, connects display links and opens the certificate files on
 * the gate's behalf. It has no network and reads nothing but struct spawn_request; it runs until the gate ends.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct spawner_params {
	int gate_fd;              /* takes: SOCK_SEQPACKET to the gate */
	pid_t gate_pid;           /* a child; its end ends the spawner */
	const char *worker_path;  /* puesto-worker */
	const char *worker_rdp_path; /* puesto-worker-rdp */
	const char *worker_seat_path; /* puesto-worker-seat */
	const char *desktops_dir; /* desktops/<uuid>/run/display.sock lie below */
	const char *cert_path, *key_path;
	const char *link_path;    /* puesto-link, for desktops of other hosts */
	const char *link_networks; /* where those may be, see gate/network.h; "": nowhere */
	const char *link_ca, *link_cert, *link_key; /* PEM files */
	uid_t uid_first;          /* workers get uid_first … uid_first + uid_count - 1, gid the same; 0: keep the spawner's own (tests) */
	unsigned uid_count;
	unsigned workers_max;
	unsigned long memory_max; /* bytes of address space of a worker, 0 for no limit */
};

/* Runs until the gate has ended; forwards SIGTERM, SIGINT and SIGHUP to it. Returns the exit status for main. */
int spawner_run(const struct spawner_params *p);
