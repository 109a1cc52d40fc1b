/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client of an HTTP interface, for its files: http.c (calls), http_stream.c (what is no HTTP any more). */
#pragma once

#include "broker/hypervisor/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/un.h>

struct wire;

struct http {
	pthread_mutex_t lock; /* guards the list of wires and their marks */
	struct wire *wires;
	unsigned wires_n;
	char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char url[512];
	char *ca, *pin, *cert, *key;
	uint64_t timeout_ms, connect_ms;
	bool is_single;
};

/* Whom to believe, and who we are. */
void http_trust_set(const struct http *h, CURL *easy);
