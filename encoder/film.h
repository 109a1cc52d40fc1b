/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A film on a wire that has no video: where pictures change many times a second, and the tiles between them that do so too, be they sky or bars of few
 * colours. All of it goes by the lossy codec, in turns (select.c), at the quality that the path carries (quality.c).
 */
#pragma once

#include "encoder/encoder_priv.h"

/* Finds it among the tiles' changes: e->film, in columns and rows, is empty when there is none. Returns the pixels a second that it changes. */
uint64_t film_find(struct encoder *e, uint64_t now_ns);
