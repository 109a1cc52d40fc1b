/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's body, shared by agent.c (making and ending), occupancy.c (who is in) and orders.c (what the
 * broker says). */
#pragma once

#include <limits.h>

#include "agent/agent.h"
#include "agent/broker.h"
#include "agent/capture/capture.h"
#include "agent/clipboard/clipboard.h"
#include "agent/dial.h"
#include "agent/door.h"
#include "agent/enrol.h"
#include "agent/health.h"
#include "agent/identity.h"
#include "agent/inject/inject.h"
#include "agent/lease.h"
#include "agent/notice.h"
#include "agent/personal.h"
#include "agent/session.h"
#include "agent/viewer.h"
#include "agent/x11.h"
#include "base/tls_listener.h"

#define AGENT_WAITING_MAX 8 /* links that have not said hello */

struct agent {
	uv_loop_t *loop;
	struct x11 *x;
	struct capture *capture;
	struct inject *inject;
	struct clipboard *clipboard;
	struct notice *notice;
	struct broker *broker;
	struct personal *personal; /* the user's own files */
	struct health *health; /* what the image itself says of this desktop */
	struct door *door;
	struct identity *identity; /* NULL: everybody is on this host */
	struct dial *dial;
	struct pst_tls_listener *port;
	char display_tls[80]; /* ADDRESS:PORT, or "" */
	struct session *session;
	char state_path[PATH_MAX], enrol_path[PATH_MAX];
	struct lease lease;
	struct enrol enrol;                 /* the token that waits to be used */
	char enrolled[PST_SHA256_HEX_SIZE]; /* hash of the token that was */
	char boot[PST_UUID_SIZE];
	char layout[64]; /* that was loaded last */
	struct viewer *occupant; /* NULL: nobody */
	struct grant grant;      /* the occupant's */
	struct viewer *waiting[AGENT_WAITING_MAX];
	void (*lost)(void *arg);
	void *arg;
};

extern const struct capture_events occupancy_capture_events;
extern const struct broker_events orders_broker_events;

/* agent.c: opens the display port once there is a certificate, and hands it a newer one. */
void agent_certified(void *arg);

/* occupancy.c */
void occupancy_accept(int fd, void *arg);
/* The occupant leaves with a reason; the desktop stays its user's. */
void occupancy_end(struct agent *a, int code, const char *reason);
/* Everybody leaves, those that wait too. */
void occupancy_close(struct agent *a, const char *reason);
/* The user leaves the desktop: the lease becomes free. */
void occupancy_logoff(struct agent *a, const char *reason);
void occupancy_copied(void *arg, const char *utf8, size_t len);
void occupancy_inject_idle(void *arg);

/* orders.c */
void orders_personal(void *arg, const char *word, const char *reason);
void orders_report(struct agent *a, const char *event, const char *reason);
/* The lease goes to disk; false (and a line in the log) where that fails. */
bool orders_keep(struct agent *a, struct pst_err *err);
