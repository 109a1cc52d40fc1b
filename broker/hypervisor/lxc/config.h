/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration of one container, in the words of lxc.container.conf(5). Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "broker/hypervisor/machine.h"

/* Paths are absolute and hold no ':', ',', '\' or space. */
struct config_site {
	const char *dir;     /* the desktop's: upper/, run/, home/, log */
	const char *base;    /* the root tree */
	const char *agents, *libexec;
	const char *bridge;  /* of desktops with a network */
	uid_t gateway_uid;
	bool unified;        /* control groups v2 */
	bool apparmor;       /* this host has it */
};

/* Appends all of it. PST_EINVAL where something would not stay in its line or word. */
int config_write(struct pst_buf *out, const struct config_site *site, const struct machine_request *r, uid_t uid, struct pst_err *err);
