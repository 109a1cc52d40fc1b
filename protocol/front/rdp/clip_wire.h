/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clipboard messages of a client, [MS-RDPECLIP] 2.2: pure parsers of hostile bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CLIP_UNICODE_TEXT 13u /* CF_UNICODETEXT */
#define CLIP_SHORT_NAME_LEN 32
#define CLIP_LONG_NAMES 2u /* CB_USE_LONG_FORMAT_NAMES */

enum clip_type { CLIP_MONITOR_READY = 1, CLIP_FORMAT_LIST, CLIP_FORMAT_LIST_RESPONSE, CLIP_DATA_REQUEST, CLIP_DATA_RESPONSE, CLIP_CAPS = 7 };

struct clip_message {
	uint16_t type, flags; /* type may be none of ours */
	const uint8_t *body;  /* borrowed from the message */
	uint32_t len;
};

/* One message; negative with err when it is cut short. */
int clip_parse(const uint8_t *data, size_t len, struct clip_message *ret, struct pst_err *err);
/* The general flags of a capabilities message; 0 when it has none. */
uint32_t clip_general_flags(const struct clip_message *m);
/* True when a format list has Unicode text. */
bool clip_lists_text(const struct clip_message *m, bool has_long_names);
/* The format that a data request asks for; 0 when it is cut short. */
uint32_t clip_wanted(const struct clip_message *m);
