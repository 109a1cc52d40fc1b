/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text that the client shows already: a page repeats its words and their parts, and a wire that can copy pixels and keeps no letters itself (RFB) takes
 * 16 bytes for any of them. As in LZ77 the longest row of letters is looked for that stood somewhere before; whether it still does is compared.
 */
#pragma once

#include "encoder/encoder_priv.h"

/* Returns owned, NULL when out of memory. */
struct words *words_create(void);
/* Accepts NULL. */
void words_destroy(struct words *w);
/* Another screen: forgets all. */
void words_clear(struct words *w);

/* Adds repeats to the plan's lossless operations (op.h), and remembers their letters. */
void words_find(struct encoder *e);
