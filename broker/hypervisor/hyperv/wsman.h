/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of Windows Remote Management: WS-Management (DSP0226) with Microsoft's binding to WMI (MS-WSMV), SOAP 1.2 over
 * HTTPS. Basic authentication within TLS, or a client's certificate. Any thread.
 */
#pragma once

#include "broker/hypervisor/calls.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/hyperv/cim.h"

struct wsman;

/*
 * Reads url (https://HOST:5986), user and password_file, or cert and key, ca or pin of the section. Returns owned, NULL with
 * err; nothing is connected yet.
 */
struct wsman *wsman_create(const struct driver_params *p, uint64_t timeout_ms, struct pst_err *err);
/* No call may run. Accepts NULL. */
void wsman_destroy(struct wsman *w);
/* Calls of that desktop (NULL: all) that run now end soon; cancel their struct call before. */
void wsman_cancel(struct wsman *w, const char *desktop);
/* Its URL, for messages. Borrowed. */
const char *wsman_name(const struct wsman *w);

/* One command: the client and its deadline. */
struct wsman_op {
	struct wsman *w;
	const struct call *call;
};

/* 0 while the command goes on, else PST_ECLOSED or PST_ETIMEOUT. */
int wsman_check(const struct wsman_op *op, struct pst_err *err);
/* Waits so long, at most to the command's end. */
int wsman_pause(const struct wsman_op *op, uint64_t ms, struct pst_err *err);

/* Each object that the WQL query finds, page by page. item is borrowed; a visit that returns less than 0 ends it. */
int wsman_enumerate(const struct wsman_op *op, const char *space, const char *query,
	int (*visit)(const struct soap_node *item, void *arg, struct pst_err *err), void *arg, struct pst_err *err);

/* The object itself. Returns owned, with the object as its body; NULL with err, PST_ENOTFOUND among others. */
struct soap *wsman_get(const struct wsman_op *op, const struct cim_ref *r, struct pst_err *err);

/*
 * A method of an object; args is XML with the prefix p, in the schema's order. Sent once. Returns owned, with METHOD_OUTPUT as
 * its body; NULL with err.
 */
struct soap *wsman_invoke(const struct wsman_op *op, const struct cim_ref *r, const char *method, const char *args, struct pst_err *err);
