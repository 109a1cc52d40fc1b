/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Spare keycodes that lend themselves to keysyms no key has: least recently used goes first. Pure: time is a
 * parameter, the X server is the caller's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPARE_MAX 64
/* A program may still have to look up an earlier press of the code: so long it keeps its meaning. */
#define SPARE_REST_MS 80
/*
 * A new binding is left alone for so long before its first press. Xlib clients read changed maps back while
 * the next change is already on its way, and lose one now and then: a pause between binding and press keeps
 * them apart.
 */
#define SPARE_SETTLE_MS 30

struct spare {
	struct spare_key {
		uint8_t code;
		bool is_down, was_used;
		uint32_t keysym; /* 0: none yet */
		uint64_t used_ms, bound_ms;
	} keys[SPARE_MAX];
	size_t n;
};

/* Forgets everything; then codes are added, more than SPARE_MAX are ignored. */
void spare_reset(struct spare *s);
void spare_add(struct spare *s, uint8_t code);

/* True when a code is bound to this keysym. */
bool spare_is_bound(const struct spare *s, uint32_t keysym);

/* The code is about to be pressed: it becomes the most recently used one. */
void spare_touch(struct spare *s, uint8_t code, uint64_t now_ms);

/*
 * Takes the least recently used code that is up for keysym. 0 when all are down or there is none. When even
 * that one was used less than SPARE_REST_MS ago, ret_wait_ms says how long a patient caller should wait;
 * nothing is taken then.
 */
uint8_t spare_take(struct spare *s, uint32_t keysym, uint64_t now_ms, bool is_patient, uint64_t *ret_wait_ms);

/* Milliseconds until the code may be pressed: 0 for one that is settled, or that is not ours. */
uint64_t spare_settle(const struct spare *s, uint8_t code, uint64_t now_ms);

/* A code of ours went down or up, or is forgotten because the server refused to bind it. Foreign codes are
 * ignored. */
void spare_set_down(struct spare *s, uint8_t code, bool is_down);
void spare_drop(struct spare *s, uint8_t code);
bool spare_has(const struct spare *s, uint8_t code);

/* The code's binding is gone from the X server's map: it may be bound anew. */
void spare_unbind(struct spare *s, uint8_t code);
