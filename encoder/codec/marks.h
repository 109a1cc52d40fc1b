/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text as marks: letters, or what hangs together, on paper of one colour. A mark that was sent before is a
 * number, so a page of text costs about two bytes a letter, whatever its colours. docs/flat-codec.md, mode 2,
 * gives every byte.
 */
#pragma once

#include "base/buf.h"
#include "encoder/pixmap.h"

struct marks;

/* NULL when out of memory. */
struct marks *marks_create(void);
/* Accepts NULL. */
void marks_destroy(struct marks *m);

/*
 * Appends r in mode 2 or 3 to out. False when r is no text, or would be larger than as rows: then nothing was
 * appended and the dictionary is as it was. Every rectangle that was appended must reach the decoder, in
 * order.
 */
bool marks_write(struct marks *m, const struct pixmap *p, const struct rect *r, struct pst_buf *out);
