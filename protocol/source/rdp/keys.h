/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys by their letters. Pure. */
#pragma once

#include <linux/input-event-codes.h>
#include <stdint.h>

#define KEYS_CTRL KEY_LEFTCTRL, KEY_RIGHTCTRL
#define KEYS_ALT KEY_LEFTALT, KEY_LEFTALT
#define KEYS_META KEY_LEFTMETA, KEY_RIGHTMETA
#define KEYS_LEVEL3 0xfe03u /* ISO_Level3_Shift: AltGr */
#define KEYS_RETURN 0xff0du
#define KEYS_TAB 0xff09u

/* What a keysym prints, as a code point; 0 when it prints nothing. */
uint32_t keys_letter(uint32_t keysym);
