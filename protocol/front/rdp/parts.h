/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A rectangle of the screen as bitmap data, [MS-RDPBCGR] 2.2.9.1.1.3.1.2.2: RDP 6 planar at 32 bits a pixel, plain at 24 (FreeRDP
 * 3.10 packs 24 bits wrongly, from beside its buffer), interleaved run lengths at 16 and 15. In parts that each fit one update.
 */
#pragma once

#include <freerdp/update.h>

#include "base/err.h"
#include "encoder/pixmap.h"

#define PARTS_HEADER_LEN 26u /* of an update with one bitmap, at most */
#define PARTS_UPDATE_MIN 8192u

struct parts;

/* depth is 15, 16, 24 or 32; skips_alpha when the client takes planes without alpha; update_max are bytes. Returns owned, or NULL with err. */
struct parts *parts_create(uint32_t depth, bool skips_alpha, uint32_t update_max, struct pst_err *err);
/* Accepts NULL. */
void parts_destroy(struct parts *p);

/*
 * Packs r, widened to columns in fours, and hands over each part; its bytes live during the call. Pixels outside r come from the
 * same picture, so they are right too. A failure of put ends the walk and is returned.
 */
int parts_pack(struct parts *p, const struct pixmap *sent, const struct rect *r, int (*put)(void *arg, const BITMAP_DATA *part, struct pst_err *err),
	       void *arg, struct pst_err *err);
