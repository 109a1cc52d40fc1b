/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An update operation: one step that turns what a client shows into what the desktop shows. The encoder makes
 * lists of them, a front end writes each in the words of its own wire. The list is to be carried out in
 * order; the pixels of lossless and lossy operations are read from the encoder's sent picture (encoder_sent),
 * which stays as it is until the next plan.
 */
#pragma once

#include "encoder/rect.h"

enum op_kind {
	OP_COPY, /* rect takes the pixels that the client shows at copy.x, copy.y (same size, may overlap) */
	OP_FILL, /* rect in one colour */
	OP_LOSSLESS, /* rect exactly as in the sent picture, by the front's lossless codec */
	OP_LOSSY,    /* rect by the front's lossy codec at quality; a refinement follows once it is still */
	OP_VIDEO,    /* an H.264 access unit for a video region */
	OP_KINDS,
};

#define OP_BIT(kind) (1u << (kind))
#define OP_TAKES_REPEATS (1u << 31) /* beside these bits: the front makes use of struct op_repeat */
#define REPEATS_MAX 8192 /* of a frame */

/* What the classifier saw: a hint for the choice of a codec, never needed for correctness. */
enum op_class { OP_CLASS_FLAT, OP_CLASS_TEXT, OP_CLASS_PICTURE, OP_CLASS_VIDEO };

/* How much of a video's chroma its client can take. 4:2:0 goes always. */
enum video_chroma {
	VIDEO_420,
	VIDEO_444_VIEWS, /* AVC444v2: a second picture in 4:2:0 has the rest ([MS-RDPEGFX] 3.3.8.3.3) */
	VIDEO_444        /* High 4:4:4 Predictive (H.264 A.2.11) */
};

/*
 * One H.264 access unit, Annex B with start codes, BT.709 full range. A region's id is its
 * decoder's: small, and used again after the region has ended; is_key marks an IDR frame that needs nothing
 * before it and begins whatever the id stands for from now on. coded_w × coded_h are rect's sides rounded up
 * to even.
 */
struct op_video {
	uint32_t region; /* below max_video_regions */
	bool is_key;
	enum video_chroma chroma; /* VIDEO_420 or encoder_params'; changes with a key unit */
	uint8_t qp; /* mean quantiser, 0…51 */
	int32_t coded_w, coded_h;
	const uint8_t *data; /* borrowed: lives until the next encoder_plan or encoder_destroy */
	size_t len;
	const uint8_t *view; /* of VIDEO_444_VIEWS: the second picture, for the same decoder; as data */
	size_t view_len;
};

/*
 * A part of a lossless operation that shows what the client shows at x, y too, once this operation's other pixels and the repeats before it are there. A
 * front may write anything there and copy the part afterwards.
 */
struct op_repeat {
	struct rect rect;
	int32_t x, y;
};

struct op {
	enum op_kind kind;
	enum op_class klass;
	bool is_refine; /* makes an earlier lossy picture exact */
	bool is_thrifty; /* on this path fewer bytes are worth more of the processor's time: see codec_set_thrift */
	struct rect rect;
	union {
		struct {
			int32_t x, y;
		} copy;
		uint32_t fill;   /* 0x00RRGGBB */
		struct {
			const struct op_repeat *repeats; /* borrowed: lives as the list does */
			size_t repeats_len;
			uint32_t paper; /* around them, where there are any */
		} lossless;
		uint8_t quality; /* 1…100, as JPEG's */
		struct op_video video;
	};
};

/* Operations of one frame. Owned by the encoder; lives until the next encoder_plan or encoder_destroy. */
struct op_list {
	const struct op *ops;
	size_t len;
	uint64_t sequence; /* rises by one per frame that is not empty */
	bool is_exact; /* after this frame the client's picture equals the sent picture, pixel for pixel */
	bool more;     /* work was left for a next frame (budget) */
};
