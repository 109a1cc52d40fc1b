/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A roll-out: one version of an image on its way to the pools that follow the image's
 * latest version. Plain data; an image has one that goes on, or its last one.
 *
 *	verify ──works──► canary ──time, or an administrator──► rolling ──nothing is left──► done
 *	   │                 │                                     │                          │
 *	   └─does not─► failed        an administrator, or bad log-ons: ──► reverted ◄────────┘
 *
 *	While it is paused, nothing more of the new version is made.
 */
#pragma once

#include "broker/core/axes.h"

struct core_desktop;
struct core_pool;
struct core_state;

enum rollout_phase {
	ROLLOUT_VERIFY,
	ROLLOUT_CANARY,
	ROLLOUT_ROLLING,
	ROLLOUT_DONE,
	ROLLOUT_FAILED,
	ROLLOUT_REVERTED
};

const char *rollout_phase_text(enum rollout_phase v);
bool rollout_phase_parse(const char *text, enum rollout_phase *ret);

enum rollout_act {
	ROLLOUT_PAUSE,
	ROLLOUT_CONTINUE,
	ROLLOUT_REVERT,
	ROLLOUT_FORGET /* the version before is no more */
};

const char *rollout_act_text(enum rollout_act v);
bool rollout_act_parse(const char *text, enum rollout_act *ret); /* pause, continue, rollback */

/* What an administrator asks for. */
struct rollout_plan {
	int canary;      /* percent of a pool that gets the new version first; 0: no canaries */
	int canary_s;    /* how long; 0: until an administrator goes on */
	int unavailable; /* free desktops of a pool that are replaced at a time, 1 at least */
	int failures; /* desktops or log-ons of the new version that fail before it is stopped, 1 at least */
	int samples;  /* times of either version before they are compared, 1 at least */
	int slower;   /* percent of the old version's median at which the new one is too slow; 0: never */
	bool kept;    /* also desktops whose users keep their disk: they lose it */
	int64_t force_wall; /* wall ms: whoever works then is logged off; 0: they end by themselves */
};

struct core_rollout {
	char id[CORE_ID_SIZE], image_id[CORE_ID_SIZE];
	char version[CORE_WORD_SIZE], previous[CORE_WORD_SIZE]; /* previous "": the image had none */
	char by[CORE_NAME_SIZE];
	enum rollout_phase phase;
	bool paused;
	struct rollout_plan plan;
	int tries;                        /* desktops made to verify it */
	int failures;                     /* of desktops of the new version, since the last "continue" */
	int logons, logons_failed;        /* to desktops of the new version */
	struct core_reason reason;        /* why it is paused or has ended; "": nothing to explain */
	int64_t created_wall, since_wall; /* since_wall: of the phase */
	/* memory only */
	struct core_reason waits; /* why it does not get on */
	int64_t phase_ms;         /* monotonic, since when it is in this phase, or since the broker's start */
	int64_t force_ms;         /* monotonic; 0: nobody is forced */
	bool wants_room;  /* a free desktop of a full host has to go, for the one that is to be tried */
	unsigned touched; /* the round that writes its row */
};

#define TIMING_SAMPLES 32

enum timing_kind { TIMING_CREATE, TIMING_REFRESH, TIMING_LOGON, TIMING_RESUME, TIMING_KINDS };

const char *timing_kind_text(enum timing_kind v);
bool timing_kind_parse(const char *text, enum timing_kind *ret);

struct core_begun {
	int64_t ms; /* monotonic; 0: it is measured, or not to be */
	enum timing_kind kind;
};

/* The last times of one version: from the command to the agent's report, of a new machine and of a new disk,
 * which are not to be compared with each other, and of a suspended one; from the grant to the picture. */
struct core_timing {
	char image_id[CORE_ID_SIZE], version[CORE_WORD_SIZE];
	enum timing_kind kind;
	int count, next;
	int32_t ms[TIMING_SAMPLES];
};

/* The image's roll-out that goes on, or its last one; NULL: there was none. */
struct core_rollout *state_rollout(const struct core_state *st, const char *image_id);
bool rollout_is_live(const struct core_rollout *ro);
bool pool_follows(const struct core_pool *p, const struct core_rollout *ro); /* it wants the image's latest */
/* It has not the image, the version or the provider that it should have. */
bool desktop_is_stale(const struct core_state *st, const struct core_pool *p, const struct core_desktop *d);
/* Zeroed and borrowed, or NULL at the ceiling or without memory. */
struct core_rollout *state_add_rollout(struct core_state *st);
struct core_timing *state_add_timing(struct core_state *st);
void state_remove_rollout(struct core_state *st, struct core_rollout *ro);

void timing_add(
	struct core_state *st, const char *image_id, const char *version, enum timing_kind kind, int ms);
/* -1: fewer than that many are known. */
int timing_median(const struct core_state *st, const char *image_id, const char *version,
	enum timing_kind kind, int samples);
