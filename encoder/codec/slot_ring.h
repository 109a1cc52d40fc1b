/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sender's mirror of a client's cache that is a ring: what goes in takes the next slot, and the oldest is forgotten. Content is known by
 * 128 bits of hash, which stand for it.
 */
#pragma once

#include <stdint.h>

#define SLOT_NONE (-1)

struct slot_key {
	uint64_t low, high;
};

struct slot_ring;

/* len slots, 1…32,768. Returns owned; NULL without memory. */
struct slot_ring *slot_ring_create(uint32_t len);
/* Accepts NULL. */
void slot_ring_destroy(struct slot_ring *r);

/* The slot that holds this content, or SLOT_NONE. */
int32_t slot_ring_find(const struct slot_ring *r, const struct slot_key *key);

/* Puts content that is not there yet into the next slot and returns the slot. */
int32_t slot_ring_add(struct slot_ring *r, const struct slot_key *key);
