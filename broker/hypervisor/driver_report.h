/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a driver tells of its provider: what it carries, how much, on which hosts, in which networks. */
#pragma once

#include "broker/hypervisor/machine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What this provider carries, discovered and not assumed. */
enum driver_can {
	DRIVER_POWER = 1 << 0,
	DRIVER_SUSPEND = 1 << 1,
	DRIVER_SNAPSHOT = 1 << 2,
	DRIVER_RESIZE = 1 << 3,        /* some fields may want a restart: the answer says so */
	DRIVER_GROW = 1 << 4,          /* disks, while in use */
	DRIVER_MIGRATE = 1 << 5,
	DRIVER_LINKED_CLONE = 1 << 6,
	DRIVER_INSTANT_CLONE = 1 << 7, /* create resumes a booted parent */
	DRIVER_CONSOLE = 1 << 8,
	DRIVER_BACKUP = 1 << 9,        /* its disks are QEMU's: the slots disk… */
	DRIVER_PERSONAL = 1 << 10,     /* users' own disks, attached while it runs */
	DRIVER_PERSONAL_SIZE = 1 << 11, /* they have a size that is enforced */
};

/* "power,snapshot,migrate", or "" when it only creates and destroys; returns out. */
const char *driver_can_text(unsigned can, char *out, size_t size);

struct driver_capacity {
	uint32_t machines; /* at most, running or not */
	unsigned can;      /* DRIVER_… */
	bool healthy;
	char reason[MACHINE_REASON_SIZE]; /* why not, and what to do */
	char limits[MACHINE_NAME_SIZE];   /* which resource limits hold, for the log */
};

/* One of several hosts of a provider. */
struct driver_host {
	char name[MACHINE_NAME_SIZE];
	uint32_t processors, memory_mb, free_mb; /* free: for new machines, as the host sees it now */
	uint32_t machines;                       /* that run there, ours or not */
	uint32_t capacity;                       /* machines at most; 0: memory alone decides */
	bool usable;
	char reason[MACHINE_REASON_SIZE]; /* why not, and what to do */
};

/* One of the networks that a machine_request may name. */
struct driver_network {
	char name[MACHINE_NAME_SIZE];
	char kind[16];                   /* "nat", "isolated", "bridge", "ovs", "existing": a word of the driver's */
	char about[MACHINE_NAME_SIZE];   /* "br0, VLAN 20", for people */
	bool peers;                      /* desktops in it reach each other */
};
