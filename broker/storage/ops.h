/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of this folder ask of the shell around them. Loop thread only. */
#pragma once

#include "base/ctl.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

struct core_actor;
struct recycled_row;

struct storage_ops {
	/*
	 * Sends msg (taken) to the provisioner. False: it is not connected, and done does not come. done (may be NULL):
	 * once, later.
	 */
	bool (*ask)(void *arg, json_t *msg, pst_ctl_done_cb done, void *done_arg);
	/* Inside a transaction: an event. by NULL: the broker itself. detail is taken. */
	int (*audit)(void *arg, const struct core_actor *by, const char *kind, const char *object_kind, const char *object_id, json_t *detail,
		struct pst_err *err);
	/* After a commit. */
	void (*changed)(void *arg, const char *kind, const char *id);
	/* A desktop comes back with a disk that lies ready for it. */
	int (*restore)(void *arg, const struct recycled_row *was, struct pst_err *err);
	/* Does the provider of that desktop carry back-ups, and is it there? */
	bool (*can_back_up)(void *arg, const char *desktop_id);
	/* After a commit that changed versions of images. */
	void (*images_changed)(void *arg);
};
