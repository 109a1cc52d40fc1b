/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which changes go into a frame: what the budget holds, letters first, then what stands, then what moves, each in turn. */
#pragma once

#include "encoder/encoder_priv.h"

/* Leaves the changes that this frame takes where they are, and makes the rest damage again. screen is the live one. */
void select_changes(struct encoder *e, const struct pixmap *screen, const struct encoder_budget *budget);
