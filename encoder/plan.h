/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order and the amount: which changes go into this frame, as what, and when lossy parts are made exact.
 */
#pragma once

#include "encoder/encoder_priv.h"

/* A lossy tile is refined when it has been still for this long. */
#define REFINE_AFTER_NS 150000000ull

/* Chooses among the tiles' changes within the budget, takes them and adds their operations. What is left is
 * damage again. */
int plan_changes(struct encoder *e, const struct pixmap *screen, uint64_t now_ns, const struct encoder_budget *budget);

/* Adds lossless operations for tiles that have been still, oldest first. */
int plan_refinement(struct encoder *e, uint64_t now_ns, const struct encoder_budget *budget);

/* When the tile is to be refined; UINT64_MAX when it is exact or part of a video. */
uint64_t plan_refine_due(const struct tile *t);
