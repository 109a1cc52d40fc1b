/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One command of the broker: what is asked, the blocking work, the answer as JSON. */
#pragma once

#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/operation.h"
#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/storage/order.h"

#include <jansson.h>

enum job_kind {
	JOB_CREATE,
	JOB_DESTROY,
	JOB_RESTART,
	JOB_OPERATE, /* one of operation.h */
	JOB_ATTACH,  /* a user's own disk */
	JOB_DETACH,
	JOB_FORGET,  /* that disk goes into the recycle bin */
	JOB_CONSOLE, /* a connection to the machine's own screen */
	/* "user": his who has the desktop; else an administrator's, which takes nobody's away */
	JOB_INVENTORY,
	JOB_HELLO,  /* our own: providers and machines, to be said */
	JOB_HEALTH, /* our own: providers only */
};

struct job {
	enum job_kind kind;
	struct driver **drivers; /* borrowed */
	size_t drivers_n;
	const char *provider;    /* that is to do it, or NULL; borrowed from the message */
	struct machine_request request;
	char desktop[PST_UUID_SIZE]; /* "" for those that are about none */
	bool refresh;
	struct order order; /* for whoever places or removes its disk */
	struct machine_personal personal; /* of JOB_ATTACH, JOB_DETACH, JOB_FORGET; DETACH ends with PST_EAGAIN when it is to be run again */
	const struct operation *operation; /* of JOB_OPERATE */
	const char *arg;                   /* its; borrowed from the message, or "" */
	char pin[RDP_PIN_SIZE];            /* of JOB_CONSOLE: of the certificate at the machine's own server, as its agent says; or "" */
	/* results, written by job_run */
	int rc;
	struct pst_err err;
	struct machine machine;
	bool is_user;    /* of JOB_CONSOLE */
	bool is_shared;  /* the same: others look at it */
	json_t *account; /* the same: what he needs there, a secret; owned, or NULL */
	bool has_fd;
	int fd; /* of JOB_CONSOLE: owned, while has_fd */
	json_t *machines;  /* owned arrays, or NULL */
	json_t *providers;
	json_t *unlisted;  /* names of providers whose machines are not in machines */
	json_t *hosts;     /* of providers that have several; "listed": false where machines lacks its machines */
};

/* Reads a command. msg must outlive the job. PST_EINVAL says what is wrong with it. */
int job_parse(struct job *job, const json_t *msg, struct pst_err *err);

/* The blocking part, on any thread. */
void job_run(struct job *job);

/* The reply's body, returns owned; NULL on no memory. */
json_t *job_reply(const struct job *job);

/* Of JOB_HELLO and JOB_HEALTH: the providers and the state of their hosts, without figures that always change. Owned; NULL on no memory. */
char *job_health_text(const struct job *job);
/* The same in the log, a line for each. */
void job_health_log(const struct job *job);

/* {"error": {...}} with "retryable" for the broker. Returns owned; NULL on no memory. */
json_t *job_refusal(const struct pst_err *err);

void job_finish(struct job *job);
