/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys for RFB servers: scan codes as QEMU takes them, and the keysym that a key without one means. Pure. */
#pragma once

#include <stdint.h>

/* A Linux evdev code as a PC scan code of set 1, with 0x80 for the E0 before it; 0 when no key has it. */
uint32_t rfb_scancode(uint16_t evdev);
/* What this key of a US keyboard says without Shift, as a keysym; 0 unknown. */
uint32_t rfb_keysym(uint16_t evdev);
/* The key that a character of finished text is typed by. */
uint32_t rfb_keysym_of_text(uint32_t code_point);
