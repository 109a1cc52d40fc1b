/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the lobby shows: a sentence while a desktop starts, the reason of an end, or a choice of pools. Plain data; whoever shows a page
 * fills it, the lobby keeps a copy of its own. All text is UTF-8 from anywhere: it is drawn, never interpreted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PAGE_ENTRIES_MAX 200
#define PAGE_TEXT_MAX 512 /* bytes with the NUL */

enum page_kind {
	PAGE_PROGRESS, /* with the time that it has taken; Escape gives up */
	PAGE_NOTICE,   /* until Enter, Escape, Space or a click */
	PAGE_CHOICE,   /* arrows and Enter, digits, pointer; Escape gives up */
};

/* What the reader understands: where the client does not say, both languages stand under each other. */
enum page_language { PAGE_BOTH, PAGE_ENGLISH, PAGE_SPANISH };

struct page_text {
	char en[PAGE_TEXT_MAX], es[PAGE_TEXT_MAX];
};

struct page_entry {
	char name[257];
	char state_en[64], state_es[64];
};

struct page {
	enum page_kind kind;
	enum page_language language;
	uint32_t scale_pct; /* the client's, 100…500; 0 unknown */
	struct page_text title, text;
	const struct page_entry *entries; /* of a choice; borrowed */
	size_t n_entries;                 /* up to PAGE_ENTRIES_MAX */
	uint64_t since_ms;                /* monotonic: when the waiting began */
};
