/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a reader does about a page: moves in a list, takes an entry, or leaves. Keys come as keysyms (VNC) or
 * as codes (RDP). Pure: the caller gives where the rows stand and how long the page has been shown.
 */
#pragma once

#include "encoder/rect.h"
#include "protocol/link/input.h"
#include "protocol/source/page.h"

/* Keys that were meant for a desktop which has just gone do not close the page that says so. */
#define REPLY_QUIET_MS 1000

enum reply_result { REPLY_NONE, REPLY_MOVED, REPLY_TAKEN, REPLY_LEFT };

struct reply {
	enum page_kind kind;
	size_t n, rows;         /* entries, and how many of them are in sight */
	size_t selected, first; /* first: the entry in the first row */
	bool is_down, has_pressed;
	size_t pressed; /* the entry that the button went down on */
};

void reply_init(struct reply *r, enum page_kind kind, size_t n, size_t rows);
/* The screen's size changed, and so what is in sight. */
void reply_set_rows(struct reply *r, size_t rows);
/* rects: of the r->rows rows in sight. */
enum reply_result reply_input(
	struct reply *r, const struct input_event *ev, const struct rect *rects, uint64_t shown_ms);
