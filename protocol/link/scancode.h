/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PC scan codes of set 1, as RDP and QEMU's RFB extension carry them, to Linux evdev key codes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* code is 0…127 without the release bit; is_extended: it came with E0. 0 when no key has it. */
uint16_t scancode_to_evdev(uint8_t code, bool is_extended);
