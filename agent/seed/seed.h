/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a new machine is told about itself: one JSON object, written by the provider's driver. Everything in
 *it is checked before anything of it is used.
 *
 *	{"desktop": uuid, "token": text, "hostname": "d17", "broker": "10.1.2.1:5911", "display":
 *"0.0.0.0:5910", "ca": PEM, "locale": "es_ES", "layout": "es", "time_ms": 1796000000000, "random": base64}
 *
 * desktop, hostname, broker and ca must be there. Without a token the desktop keeps its enrolment.
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>

#define SEED_MAX (64 * 1024)
#define SEED_RANDOM_MAX 512

struct seed {
	char desktop[PST_UUID_SIZE];
	char token[257];   /* "" for none */
	char hostname[64]; /* one label of a host name */
	char broker[80];   /* ADDRESS:PORT, numeric */
	char display[80];  /* where the agent listens; "" for nowhere */
	char locale[33];   /* "" for the image's own */
	char layout[33];   /* the same */
	char *ca;          /* PEM, owned */
	int64_t time_ms;   /* the wall clock at the sender, 0 for unknown */
	uint8_t random[SEED_RANDOM_MAX];
	size_t random_len;
	char hash[PST_SHA256_HEX_SIZE]; /* of the identity in it: what is remembered once it was used */
	char bare[PST_SHA256_HEX_SIZE]; /* the same without its token, which later starts are not given again */
};

/* 0, or PST_EINVAL with the field and the reason. ret is zeroed first; end it with seed_finish also after a
 * failure. */
int seed_parse(const char *text, size_t len, struct seed *ret, struct pst_err *err);

/* Wipes and frees; accepts a zeroed struct. */
void seed_finish(struct seed *s);
