/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A clip and a photo from files, and the number that each shown frame carries in its lower left corner, so
 * that a client's screen tells which frame it shows. Frames are CLIP_W × CLIP_H, the photo PHOTO_W × PHOTO_H,
 * four bytes a pixel (B G R X), nothing else in the files; media.mjs makes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoder/rect.h"

#define CLIP_W 640
#define CLIP_H 360
#define PHOTO_W 1280
#define PHOTO_H 960

/* The number: 18 cells side by side. White, black, 4 bits of check, 12 bits of the number. */
#define BAR_CELL 16
#define BAR_CELLS 18
#define BAR_NUMBERS 4096

struct clip {
	const uint32_t *frames; /* NULL: none */
	int count;
	const uint32_t *photo; /* NULL: none */
};

/* Maps the open files; a descriptor of -1 is a file that is not there. False when a file is not of the form.
 */
bool clip_open(struct clip *c, int frames_fd, int photo_fd);
/* Frame n, again from the first after the last; NULL without frames. */
const uint32_t *clip_frame(const struct clip *c, int n);
/* Frame n at twice its size, w × h of it, into pixels with rows of stride. */
void clip_double(const struct clip *c, int n, uint32_t *px, int32_t stride, int32_t w, int32_t h);
/* Draws the number into the pixels (rows of stride pixels) whose lower left corner is at x, bottom. */
void clip_number(uint32_t *px, int32_t stride, int32_t x, int32_t bottom, int n);
/* The number that cells of this brightness (0…255 each) say; -1 when they hold none. */
int clip_number_of(const uint8_t cells[BAR_CELLS]);
