/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the driver has promised about a desktop, in the domain's own metadata: an element of
 * our namespace whose text is JSON (vSphere has the same text in the machine's extraConfig). It is written before the thing is done, and it is what
 * makes a domain ours: others have none, or another instance or provider in it.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/libvirt/address.h"
#include "broker/hypervisor/machine.h"

#include <stdbool.h>

#define LV_NAMESPACE "urn:puesto:desktop:1"
#define LV_PREFIX "puesto"
#define LV_INSTANCE_SIZE MARK_SIZE
#define LV_KEY_SIZE 17 /* of a parent: 16 hexadecimal digits */
#define LV_RECORD_MAX (64u << 10) /* bytes of its JSON */

enum lv_phase {
	LV_CREATING,
	LV_RUNNING,
	LV_STOPPED, /* by us */
	LV_DESTROYING,
};

struct lv_record {
	enum lv_phase phase;
	char instance[LV_INSTANCE_SIZE]; /* of the installation */
	char provider[MACHINE_NAME_SIZE];
	char address[LV_ADDRESS_SIZE];   /* "" while none is known */
	char parent[LV_KEY_SIZE];        /* the booted one that its disk stands on; "" without */
	struct machine_request request;  /* its token is never written */
};

/* The JSON, returns owned; NULL on no memory. */
char *lv_record_text(const struct lv_record *r);
/*
 * The element: with its namespace for the domain's document, without for virDomainSetMetadata,
 * which adds it. Returns owned; NULL on no memory.
 */
char *lv_record_element(const struct lv_record *r, bool with_namespace);
/* The JSON again. PST_EINVAL for what is not a record. */
int lv_record_read(const char *text, struct lv_record *ret, struct pst_err *err);
/* element: as libvirt gives it back. PST_EINVAL for what is not a record. */
int lv_record_parse(const char *element, struct lv_record *ret, struct pst_err *err);
