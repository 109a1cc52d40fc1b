/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The property collector ("PropertyCollector" in the vSphere API reference): properties of one object, of all
 * machines in a folder page by page, and waiting for a change of them.
 */
#pragma once

#include "broker/hypervisor/vsphere/vim.h"

#define PROPERTY_PAGE 100 /* objects of one answer */
#define PROPERTY_OBJECTS_MAX 65536

/* What is looked at: one object, or what is in it (machines of a folder, hosts of a cluster). */
struct property_set {
	const struct vim_ref *object;
	const char *children;     /* "VirtualMachine", "HostSystem", or NULL: the object itself */
	const char *const *paths; /* ends with NULL */
};

/* An ObjectContent or ObjectUpdate's property; NULL when it is unset. */
const struct soap_node *property_of(const struct soap_node *object, const char *path);

/* Why it could not be read: a LocalizedMethodFault, or NULL. What is merely unset has none. */
const struct soap_node *property_refused(const struct soap_node *object, const char *path);

/* One object; returns its ObjectContent in *ret_object, which lives as long as what is returned (owned). PST_ENOTFOUND. */
struct soap *property_get(struct vim_op *op, const struct property_set *set, const struct soap_node **ret_object, struct pst_err *err);

/* Each object, as an ObjectContent; visit's error ends it. */
typedef int (*property_visit)(const struct vim_ref *object, const struct soap_node *content, void *arg, struct pst_err *err);
int property_each(struct vim_op *op, const struct property_set *set, property_visit visit, void *arg, struct pst_err *err);

/* A filter in a collector of its own, in the session that made it. */
struct property_wait {
	struct vim_ref collector;
	char version[80]; /* of what was told last */
};

int property_wait_begin(struct vim_op *op, const struct property_set *set, struct property_wait *ret, struct pst_err *err);
/*
 * At most max_s seconds, and never past the operation's end. 1: something is or became so (the first call tells
 * what there is), 0: nothing did. An error wants a new wait: the session may have ended.
 */
int property_wait_next(struct vim_op *op, struct property_wait *w, unsigned max_s, struct pst_err *err);
/* Also after the operation has ended. */
void property_wait_end(struct vim_op *op, struct property_wait *w);
