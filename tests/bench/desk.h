/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a person at a desk does, step by step: types, scrolls, turns pages, drags a window, moves a picture,
 * watches a clip. The window shows a page of text and below it a field that is typed into; at the field's end
 * is a marker of 16 × 16 pixels that turns over with each key. Nothing depends on the time.
 */
#pragma once

#include "clip.h"
#include "document.h"
#include "window.h"

#define DESK_FIELD 40 /* height of the field */
#define DESK_W_MIN 720
#define DESK_H_MIN 480
#define DESK_CLIP_AT 40 /* left and top of the clip and the photo in the window */
#define MARKER 16

struct desk {
	struct window w;
	struct document d;
	struct canvas c;
	struct clip clip;
	struct rect text, marker;
	uint32_t page, page_before; /* which page is shown; which was shown before it */
	int32_t top, top_before;    /* how far it is scrolled */
	uint32_t pages;             /* pages so far */
	int32_t pen;                /* where the next letter stands */
	int letters, frames, pans, drags;
	bool has_caret, is_marked;
	Window floating; /* 0: none */
};

struct desk_step {
	const char *name;
	void (*take)(struct desk *k);
};

/* All kinds of steps; the last has no name. */
extern const struct desk_step desk_steps[];

/* Draws the first page. The clip is the caller's; without frames a drawn one is shown. */
void desk_open(struct desk *k, int32_t x, int32_t y, int32_t w, int32_t h, const struct clip *clip);
/* What the X server tells: parts that must be drawn again, keys. Each key turns the marker over and prints
 * "key NS". */
void desk_events(struct desk *k);
