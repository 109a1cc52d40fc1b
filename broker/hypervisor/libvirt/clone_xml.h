/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A child's document, from its parent's as libvirt has saved it: the same devices, other names and another disk. Pure. */
#pragma once

#include "base/err.h"

struct lv_child {
	const char *parent;   /* the parent's uuid, which is in its name, too */
	const char *desktop;  /* the child's */
	const char *hostname;
	const char *metadata; /* the record's element, with its namespace */
	const char *was;      /* path of the disk in the parent's document */
	const char *base;     /* where that lies now */
	const char *disk;     /* the child's own, a qcow2 file that stands on it */
};

/* Returns owned. NULL with err: PST_EINVAL when the document is not as it was written. */
char *lv_child_xml(const char *document, const struct lv_child *c, struct pst_err *err);
