/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where keys are. */
#include "protocol/link/places.h"

#include <criterion/criterion.h>
#include <linux/input-event-codes.h>

#include "base/mem.h"

Test(places, test_codes_and_signs_of_keys)
{
	static const struct {
		uint16_t evdev;
		uint32_t scancode, keysym;
	} keys[] = { { KEY_ESC, 1, 0xff1b }, { KEY_Q, 0x10, 'q' }, { KEY_GRAVE, 0x29, '`' }, { KEY_F1, 0x3b, 0xffbe }, { KEY_F12, 0x58, 0xffc9 },
		{ KEY_RIGHTALT, 0xb8, 0xffea }, { KEY_UP, 0xc8, 0xff52 }, { KEY_KPENTER, 0x9c, 0xff8d }, { 0, 0, 0 }, { 700, 0, 0 } };

	for (size_t i = 0; i < PST_ARRAY_LEN(keys); i++) {
		cr_expect_eq(place_scancode(keys[i].evdev), keys[i].scancode, "%zu: %x", i, place_scancode(keys[i].evdev));
		cr_expect_eq(place_keysym(keys[i].evdev), keys[i].keysym, "%zu: %x", i, place_keysym(keys[i].evdev));
		if (keys[i].keysym)
			cr_expect_eq(place_of(keys[i].keysym, NULL), keys[i].evdev, "%zu", i);
	}
}

Test(places, test_shift_is_told)
{
	bool is_shifted = false;

	cr_expect_eq(place_of('@', &is_shifted), KEY_2);
	cr_expect(is_shifted);
	cr_expect_eq(place_of(0xffbe, &is_shifted), KEY_F1);
	cr_expect(!is_shifted);
	cr_expect_eq(place_of('~', &is_shifted), KEY_GRAVE);
	cr_expect(is_shifted);
	cr_expect_eq(place_of('/', &is_shifted), KEY_SLASH);
	cr_expect(!is_shifted);
	cr_expect_eq(place_of(0xf1, &is_shifted), 0);
}
