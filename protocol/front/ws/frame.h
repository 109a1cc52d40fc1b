/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writes one frame's operations in the words of puesto.v1. It owns the codecs whose state belongs to this connection and counts
 * what it wrote. It has no socket and no clock.
 */
#pragma once

#include "encoder/codec.h"
#include "encoder/op.h"
#include "protocol/front/ws/message.h"

#define WS_VIDEO_REGIONS 4 /* decoders that the client keeps at once */

struct ws_frame_writer {
	struct codec *flat, *jpeg;
	uint32_t regions[WS_VIDEO_REGIONS]; /* the encoder's region id + 1 of each slot of the wire, 0 none */
	uint64_t region_used[WS_VIDEO_REGIONS];
	uint64_t frames;
	bool is_anew; /* the next frame needs nothing before it */
	struct ws_mix mix;
};

#define WS_FRAME_HEAD 7

/* FRAME's first bytes, before its operations. */
void ws_frame_head(uint8_t head[WS_FRAME_HEAD], uint32_t sequence, uint8_t flags, uint16_t operations);
/* EXACT and MORE as the list says. */
uint8_t ws_frame_flags(const struct op_list *list);

/* 0 or PST_ENOMEM. */
int ws_frame_writer_init(struct ws_frame_writer *w);
void ws_frame_writer_finish(struct ws_frame_writer *w);
/* The flat stream begins anew with the next frame, which says so. 0, or PST_ENOMEM: it goes on. */
int ws_frame_writer_restart(struct ws_frame_writer *w);

/*
 * Appends FRAME's body to out. Negative with err when a codec failed or the frame is too large: the flat stream is then out of step
 * and the connection has to end.
 */
int ws_frame_write(struct ws_frame_writer *w, const struct op_list *list, const struct pixmap *sent, struct pst_buf *out,
		   struct pst_err *err);

/* The same in parts: the head, then all of the operations that it names, in calls of any size. */
void ws_frame_begin(struct ws_frame_writer *w, uint64_t sequence, uint8_t flags, uint16_t operations, struct pst_buf *out);
int ws_frame_ops(struct ws_frame_writer *w, const struct op *ops, size_t n, const struct pixmap *sent, struct pst_buf *out, struct pst_err *err);
