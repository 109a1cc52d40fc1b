/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Client to server messages of RFB 3.8 (RFC 6143 §7.5) with the extensions that viewers use: fence, continuous updates,
 * desktop size, QEMU key codes, extended clipboard. A pure parser: bytes in, one message out. The bytes are hostile.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "encoder/rect.h"
#include "protocol/front/rfb/pixel_format.h"

#define RFB_ENCODINGS_MAX 256             /* entries of SetEncodings that count; further ones are skipped */
#define RFB_CUT_TEXT_MAX (1024 * 1024)    /* bytes of a clipboard message on the wire */
#define RFB_SCREENS_MAX 16
#define RFB_FENCE_MAX 64

enum rfb_message_kind {
	RFB_SET_PIXEL_FORMAT,
	RFB_SET_ENCODINGS,
	RFB_UPDATE_REQUEST,
	RFB_KEY,
	RFB_POINTER,
	RFB_CUT_TEXT,
	RFB_CONTINUOUS_UPDATES,
	RFB_FENCE,
	RFB_DESKTOP_SIZE,
};

struct rfb_message {
	enum rfb_message_kind kind;
	union {
		struct rfb_pixel_format format;
		struct {
			int32_t list[RFB_ENCODINGS_MAX];
			uint16_t len;
		} encodings;
		struct {
			bool is_incremental;
			struct rect area;
		} update;
		struct {
			bool is_down;
			uint32_t keysym;
			uint32_t scancode; /* XT set 1, bit 7 set for E0 codes; 0 when the plain message was used */
		} key;
		struct {
			uint8_t buttons;
			uint16_t x, y;
		} pointer;
		struct {
			bool is_extended;
			uint32_t flags;      /* extended only */
			const uint8_t *data; /* borrowed from the input */
			size_t len;
		} cut;
		struct {
			bool enable;
		} continuous;
		struct {
			uint32_t flags;
			uint8_t len;
			uint8_t data[RFB_FENCE_MAX];
		} fence;
		struct {
			uint16_t width, height;
		} size;
	};
};

/* Returns the bytes used, 0 when the message is not whole yet, or a negative PST_E… with err set. */
ssize_t rfb_message_parse(const uint8_t *data, size_t len, struct rfb_message *ret, struct pst_err *err);
