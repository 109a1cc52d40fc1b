/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the vSphere Web Services API (namespace urn:vim25, VMware's "vSphere Web Services API"
 * reference), over HTTPS. One session for all threads: opened by the first call, opened anew when the server
 * has forgotten it. Every call is bounded by its operation, one deadline and one mark for all of them.
 *
 *	none --(a call: RetrieveServiceContent, Login)--> open --(NotAuthenticated)--> none
 *	  \--(InvalidLogin)--> refused, for half a minute: wrong passwords lock accounts
 */
#pragma once

#include "base/secret.h"
#include "broker/hypervisor/http.h"
#include "broker/hypervisor/vsphere/soap.h"

#include <stdatomic.h>

#define VIM_TYPE_SIZE 48
#define VIM_ID_SIZE 200

/* A reference to a managed object, of this session's server. */
struct vim_ref {
	char type[VIM_TYPE_SIZE]; /* "" for none */
	char id[VIM_ID_SIZE];
};

/* Data that the server hands out at log-in. */
struct vim_service {
	struct vim_ref collector, search, sessions;
	bool is_vcenter; /* else a host alone, which cannot clone */
	char words[64];  /* name and version */
};

struct vim;

struct vim_params {
	const char *url;               /* https://HOST:PORT; the API is at /sdk */
	const char *socket, *ca, *pin; /* as of struct http_params */
	const char *user;
	const char *password_file; /* read at each log-in */
	uint64_t timeout_ms, connect_ms;
};

/* One command of the driver's. */
struct vim_op {
	struct vim *vim;
	const char *owner; /* the desktop, or another word */
	uint64_t end_ms;   /* pst_mono_ms */
	_Atomic bool cancelled;
};

/* Returns owned; NULL with err. Does not connect yet. */
struct vim *vim_create(const struct vim_params *p, struct pst_err *err);
/* Logs out, if that is quick. No call may run. Accepts NULL. */
void vim_destroy(struct vim *v);
/* Calls of that owner (NULL: all) that run now end soon; mark their operations first. */
void vim_cancel(struct vim *v, const char *owner);

/* 0 while the operation goes on, else PST_ECLOSED or PST_ETIMEOUT. */
int vim_op_check(struct vim_op *op, struct pst_err *err);
/* Milliseconds that are left of it. */
uint64_t vim_op_left(const struct vim_op *op);
/* Waits, at most to the operation's end; a cancel ends it. */
int vim_op_pause(struct vim_op *op, uint64_t ms, struct pst_err *err);

/* Logs in if need be. */
int vim_service(struct vim_op *op, struct vim_service *ret, struct pst_err *err);

struct vim_call {
	const char *method;
	const struct vim_ref *self;
	const char *args; /* XML in the schema's order, or NULL */
	bool repeatable;  /* doing it twice is as doing it once */
	uint64_t most_ms; /* 0: what the operation has left */
};

/* Returns owned, with the method's answer as its body; NULL with err, a fault too (fault.h). */
struct soap *vim_call(struct vim_op *op, const struct vim_call *c, struct pst_err *err);

/* A reference from an answer's element; PST_EPROTO when it is none. */
int vim_ref_read(const struct soap_node *n, struct vim_ref *ret, struct pst_err *err);
void vim_put_ref(struct pst_buf *b, const char *name, const struct vim_ref *ref);
bool vim_ref_equal(const struct vim_ref *a, const struct vim_ref *b);
