/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole picture for viewers who come late, from a flat stream of its own. Encoding it takes as long as ten frames, so it is made a few blocks at a time
 * while frames go on: what these change of blocks that are done is done again. What a video changes is left as it was: with the streams that begin anew
 * the video paints all of itself, or ends and is refined. One thread, no clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "encoder/op.h"
#include "encoder/pixmap.h"

struct ws_snapshot;

/* For a picture of this size. Returns owned; NULL without memory. */
struct ws_snapshot *ws_snapshot_create(int32_t width, int32_t height);
void ws_snapshot_destroy(struct ws_snapshot *s);

/* A frame's operations changed the picture. */
void ws_snapshot_note(struct ws_snapshot *s, const struct op_list *list);

/* Encodes some blocks of the picture as it is now. Negative when that failed: it is of no use then. */
int ws_snapshot_step(struct ws_snapshot *s, const struct pixmap *sent);

/* So little is left, or so much was done again, that it should be finished. */
bool ws_snapshot_is_near(const struct ws_snapshot *s);

/* Encodes what is left. The picture is a frame of this sequence. Negative as above. */
int ws_snapshot_finish(struct ws_snapshot *s, const struct pixmap *sent, uint64_t sequence, bool more);

/* FRAME's body, once finished. Borrowed. */
const struct pst_buf *ws_snapshot_body(const struct ws_snapshot *s);
