/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The broker's connections to the other programs, and the shell around its decisions: three unix
 * sockets whose peers are checked by the kernel's word, the core's commands out and reports in,
 * the API behind the gate. Loop thread only.
 */
#pragma once

#include "base/err.h"
#include "base/tls.h"
#include "broker/api/api.h"
#include "broker/auth/auth.h"

#include <sys/types.h>
#include <uv.h>

struct control;
struct db;

#define CONTROL_PATH_MAX 1024

struct control_settings {
	char gateway_socket[CONTROL_PATH_MAX];     /* "": not listened on */
	char provisioner_socket[CONTROL_PATH_MAX];
	char agent_socket[CONTROL_PATH_MAX];
	char agents_listen[80];              /* ADDRESS:PORT for agents of other hosts, or "" */
	bool agents_tls12;                   /* TLS 1.2, too: for Windows 10 */
	struct pst_tls_pair agents_ca, agents_own; /* the authority with its key, our server certificate; only with agents_listen */
	uid_t gateway_uid, provisioner_uid; /* besides root and our own */
	struct auth_settings auth;
	struct api_settings api;
};

/* Everything between the database and the sockets; nothing is listened on yet. Borrows db and
 * settings. Returns owned. */
int control_create(uv_loop_t *loop, struct db *db, const struct control_settings *settings, struct control **ret,
	struct pst_err *err);
/* Opens the sockets and starts deciding. */
int control_listen(struct control *c, struct pst_err *err);
/* Ends every connection (their peers come again later). Accepts NULL. */
void control_destroy(struct control *c);

struct api *control_api(struct control *c);
