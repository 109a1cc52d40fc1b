/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a driver asks of puesto-desktop: launch.json, or as much of it as a container needs; read and checked. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LAUNCH_FILE_MAX (64 * 1024)
#define LAUNCH_LOWERS_MAX 8
#define LAUNCH_CGROUPS_MAX 8

/* Paths outside are absolute and borrowed from `root`; they hold no ':', ',' or '\'. */
struct launch {
	json_t *root;
	const char *dir;      /* the desktop's directory: upper, work, root, run, home, log */
	const char *lowers[LAUNCH_LOWERS_MAX]; /* topmost first */
	size_t lowers_n;
	const char *libexec;  /* bind-mounted read-only at /usr/libexec/puesto */
	const char *agents;   /* bind-mounted read-only at /run/puesto/broker */
	const char *cgroups[LAUNCH_CGROUPS_MAX]; /* directories to join */
	size_t cgroups_n;
	const char *hostname;
	const char *locale;   /* "es_ES", "en_US", ... */
	const char *layout;   /* XKB layout */
	uid_t uid;            /* also the gid */
	uid_t gateway_uid;    /* whom the agent lets in */
	bool network;         /* false: loopback only */
	uint32_t memory_mb;
	uint32_t pids;
	uint32_t max_width, max_height;
	uint32_t width, height; /* at the start */
	const char *agent_conf; /* in a machine of its own: the agent's settings, awaited; else NULL */
};

/* Reads DIR/launch.json. finish accepts a zeroed struct. */
int launch_read(struct launch *l, const char *dir, struct pst_err *err);
/* The text of request_launch: without what an engine has made already (dir, lowers, libexec, agents and cgroups are not set). */
int launch_parse(struct launch *l, const char *text, struct pst_err *err);
void launch_finish(struct launch *l);
