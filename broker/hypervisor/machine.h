/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine: what the broker asks for, what a provider has, where it is reached. Plain values, free to copy. */
#pragma once

#include "base/hash.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MACHINE_PASSWORD_SIZE 9
#define MACHINE_NAME_SIZE 64
#define MACHINE_REASON_SIZE 512
#define MACHINE_TOKEN_SIZE 128

/* Before an image base that only the hypervisor can read. */
#define REQUEST_REF "ref:"

enum machine_state {
	MACHINE_RUNNING,
	MACHINE_STOPPED, /* can be restarted with what it holds */
	MACHINE_FAILED,  /* died or was never finished; reason says more */
	MACHINE_UNKNOWN, /* in lists only: of a host that cannot be asked (driver.h) */
};

const char *machine_state_name(enum machine_state state);

/* What the broker asked for. Checked by request_parse; strings are never empty but token. */
struct machine_request {
	char task[PST_UUID_SIZE];
	char desktop[PST_UUID_SIZE];
	char image_name[MACHINE_NAME_SIZE];
	char image_version[MACHINE_NAME_SIZE];
	/*
	 * "host", the path of a root tree or of a golden disk, or "ref:NAME": what the
	 * hypervisor itself calls the template, the OCI image or the snapshot to clone from.
	 */
	char image_base[PATH_MAX];
	bool is_windows;           /* what is in it */
	char image_path[PATH_MAX]; /* of the image's version, with layer/ in it; "" with a "ref:" */
	char hostname[64];
	char locale[33];
	char layout[33];
	char enrol_token[MACHINE_TOKEN_SIZE]; /* "" when the desktop keeps its enrolment */
	uint32_t memory_mb;
	uint32_t cpu_percent; /* 100 is one processor */
	uint32_t pids;
	uint32_t disk_mb; /* 0: as large as the image's */
	uint32_t max_width, max_height;
	bool has_rdp; /* the pool's wish: it is shown by an RDP server of its own, whatever its image has */
	char network[MACHINE_NAME_SIZE]; /* "host": what the provider gives; "none": loopback alone; else one of the provider's by name */
	char host[MACHINE_NAME_SIZE];    /* where create is to make it; "": the provider chooses */
};

/* Where the agent's display link, or a machine's own screen, is reached. */
enum endpoint_kind {
	ENDPOINT_NONE, /* not known yet */
	ENDPOINT_UNIX, /* address is the absolute path of a socket of this host */
	ENDPOINT_TLS,  /* address is a numeric IP address, with port: an agent of another host */
	ENDPOINT_RFB,  /* a console, or a VNC server of the machine's own: address is a path (port 0) or a numeric IP address */
	ENDPOINT_RDP,  /* an RDP server of the machine's own: address is a numeric IP address, or "" where it has an agent, and is not known now */
	ENDPOINT_DBUS, /* QEMU's D-Bus display: a connection that its driver has made */
};

struct machine_endpoint {
	enum endpoint_kind kind;
	char address[PATH_MAX];
	uint16_t port;
	bool has_agent; /* of ENDPOINT_RDP: an agent of ours is beside it, which enrols */
};

/* A machine's own screen. */
struct machine_screen {
	struct machine_endpoint at; /* to be dialled (console.h); of a connection that is there only the kind counts */
	int fd;                     /* such a connection: owned; else -1 */
	char password[MACHINE_PASSWORD_SIZE]; /* of an RFB server (RFC 6143, 7.2.2), a secret; "" for none */
};

/* What there is. */
struct machine {
	char desktop[PST_UUID_SIZE];
	char task[PST_UUID_SIZE]; /* of its last create or restart */
	char image[2 * MACHINE_NAME_SIZE]; /* "name:version" */
	struct machine_endpoint endpoint; /* the agent's */
	char host[MACHINE_NAME_SIZE];     /* that it runs on, where the provider has several; else "" */
	char reason[MACHINE_REASON_SIZE];
	enum machine_state state;
	uid_t uid; /* of everything in it, as seen from outside; 0 where it is no process tree of this host */
};

enum machine_power {
	POWER_START, /* a stopped, suspended or running machine */
	POWER_STOP,  /* the guest is asked; at the deadline, and where nobody can ask it, it is as POWER_OFF */
	POWER_OFF,
	POWER_SUSPEND, /* memory is kept on disk, nothing runs */
};

/* What a machine is given; 0 leaves a field as it is. */
struct machine_size {
	uint32_t memory_mb;
	uint32_t cpu_percent;
	uint32_t disk_mb; /* only ever grows */
};

/* A user's own disk (disk/personal.h), as the broker names it. */
struct machine_personal {
	char owner[MACHINE_NAME_SIZE]; /* the user's id */
	char name[MACHINE_NAME_SIZE];  /* the disk's */
	char store[MACHINE_NAME_SIZE]; /* the datastore for a new one; "": the provider chooses */
	char pool[MACHINE_NAME_SIZE];  /* for the rights on datastores; may be "" */
	uint32_t size_mb;              /* of a new one; a smaller one grows to it */
	char reason[201];              /* why it is removed, for whoever reads the recycle bin; "" for no more than that */
};

/* Where a machine's disk lies on this host: qcow2, with the golden disk at the bottom. */
struct driver_disk {
	char path[PATH_MAX], base[PATH_MAX];
	bool is_open; /* a QEMU has it */
};

/* Where the disk of a machine can be made that is not there: FOLDER/disk.qcow2, on the golden disk as it lies there. */
struct driver_room {
	char folder[PATH_MAX], base[PATH_MAX];
};
