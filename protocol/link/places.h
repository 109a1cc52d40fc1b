/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where keys are: Linux evdev codes, scan codes of a PC (set 1), and what a keyboard of the United States has there, as X11 keysyms. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PLACE_EXTENDED 0x80 /* the scan code comes after E0 */

/* With PLACE_EXTENDED where it is so; 0 when no key has it. */
uint8_t place_scancode(uint16_t evdev);
/* The key that has it, unshifted or shifted, as an evdev code; 0 when none has. ret_is_shifted may be NULL. */
uint16_t place_of(uint32_t keysym, bool *ret_is_shifted);
/* What that key says without Shift; 0 unknown. */
uint32_t place_keysym(uint16_t evdev);
