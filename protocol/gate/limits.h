/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How much one address may take: half-open and open connections, and a penalty time after bad behaviour. An IPv4 address stands
 * for itself, an IPv6 address for its /64. Pure: the caller passes the time. The table has a fixed size; quiet sources are forgotten first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define LIMITS_SOURCES_MAX 16384

struct limits_params {
	uint32_t half_open_per_source, open_per_source; /* connections */
	uint32_t half_open_total, open_total;
	uint64_t penalty_crash_ns, penalty_abuse_ns, penalty_max_ns;
};

/* Reasonable values for a gateway of some thousand viewers. */
extern const struct limits_params limits_defaults;

enum limits_answer { LIMITS_OK, LIMITS_SOURCE_FULL, LIMITS_TOTAL_FULL };
enum limits_offence { LIMITS_CRASH, LIMITS_ABUSE };

/* The part of an address that counts. */
struct limits_key {
	uint8_t bytes[16];
};

struct limits;

struct limits *limits_create(const struct limits_params *p);
void limits_destroy(struct limits *l);

/* IPv4-mapped IPv6 addresses count as IPv4. */
struct limits_key limits_key(const struct sockaddr_storage *addr);

/* A connection arrives; LIMITS_OK counts it as half-open. */
enum limits_answer limits_accept(struct limits *l, const struct limits_key *k, uint64_t now_ns);
/* Its first request was read (a whole HTTP head, a checked RDP or RFB hello): no longer half-open. */
void limits_opened(struct limits *l, const struct limits_key *k);
/* It ended. was_open: limits_opened came before. */
void limits_closed(struct limits *l, const struct limits_key *k, bool was_open);
/* Something bad came from there; its display connections wait, longer each time. The portal stays open, so a person can read why. */
void limits_penalize(struct limits *l, const struct limits_key *k, enum limits_offence what, uint64_t now_ns);
/* How long the source still has to wait, 0 when it is welcome. */
uint64_t limits_penalty(const struct limits *l, const struct limits_key *k, uint64_t now_ns);

const char *limits_answer_text(enum limits_answer a);
