/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Numbers of the RFB protocol (RFC 6143; extensions as the community's rfbproto describes them), as its
 * client reads and writes them.
 */
#pragma once

#define RFB_VERSION_LEN 12

/* 7.1.2 */
enum rfb_security { RFB_SECURITY_INVALID = 0, RFB_SECURITY_NONE = 1, RFB_SECURITY_VNC = 2 };

#define RFB_CHALLENGE_LEN 16 /* 7.2.2 */

/* 7.5 */
enum rfb_from_client {
	RFB_SET_PIXEL_FORMAT = 0,
	RFB_SET_ENCODINGS = 2,
	RFB_UPDATE_REQUEST = 3,
	RFB_KEY_EVENT = 4,
	RFB_POINTER_EVENT = 5,
	RFB_CLIENT_CUT_TEXT = 6,
	RFB_SET_DESKTOP_SIZE = 251, /* extension */
	RFB_QEMU = 255,             /* extension; its submessage 0 is a key with its scan code */
};

/* 7.6 */
enum rfb_from_server { RFB_UPDATE = 0, RFB_COLOUR_MAP = 1, RFB_BELL = 2, RFB_SERVER_CUT_TEXT = 3 };

/* 7.7 and 7.8 */
enum rfb_encoding {
	RFB_RAW = 0,
	RFB_COPY_RECT = 1,
	RFB_HEXTILE = 5,
	RFB_TIGHT = 7, /* extension, without JPEG */
	RFB_TRLE = 15,
	RFB_ZRLE = 16,
	RFB_DESKTOP_SIZE = -223,
	RFB_LAST_RECT = -224, /* extension */
	RFB_CURSOR = -239,
	RFB_QEMU_POINTER = -257, /* extension: from now on pointer events are absolute (x 1) or steps (x 0) */
	RFB_QEMU_KEY = -258,     /* extension: keys with scan codes are taken */
	RFB_EXTENDED_DESKTOP_SIZE = -308,
	RFB_ALPHA_CURSOR = -314, /* extension */
};
