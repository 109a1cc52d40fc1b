/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the gate share. */
#pragma once

#include <uv.h>

#include "protocol/gate/broker_link.h"
#include "protocol/gate/config.h"
#include "protocol/gate/limits.h"
#include "protocol/gate/spawn.h"
#include "protocol/gate/tls_server.h"

struct display;
struct http_conn;
struct intake;
struct listener;
struct seat;
struct session;

struct gate {
	uv_loop_t *loop;
	const struct gate_config *config;
	struct limits *limits;
	struct tls_server *tls;
	char *cert_pem, *key_pem; /* for workers, whose fronts speak TLS themselves */
	int web_dir;
	struct broker_link *broker;
	struct spawn *spawn;
	struct listener *listeners;
	struct http_conn *conns;
	struct intake *intakes;
	struct session *sessions;
	struct seat *seats;
	struct display *displays;
};
