/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring of slots: what went in is found until its slot is taken again. */
#include "encoder/codec/slot_ring.h"

#include <criterion/criterion.h>
#include <stdbool.h>

static struct slot_key key_of(uint32_t i)
{
	/* Few chains, so that they are long. */
	return (struct slot_key){ i % 5, i };
}

Test(slot_ring, forgets_the_oldest_and_nothing_else)
{
	static const uint32_t lengths[] = { 1, 2, 7, 64, 1000, 32768 };
	for (size_t n = 0; n < sizeof(lengths) / sizeof(*lengths); n++) {
		uint32_t len = lengths[n], total = len > 2000 ? len + 300 : 3 * len + 1;
		struct slot_ring *r = slot_ring_create(len);
		for (uint32_t i = 0; i < total; i++) {
			struct slot_key key = { (uint64_t)i * 7, i }, gone = { (uint64_t)(i - len) * 7, i - len };
			cr_assert_eq(slot_ring_find(r, &key), SLOT_NONE);
			cr_assert_eq(slot_ring_add(r, &key), (int32_t)(i % len));
			cr_assert_eq(slot_ring_find(r, &key), (int32_t)(i % len));
			if (i >= len)
				cr_assert_eq(slot_ring_find(r, &gone), SLOT_NONE);
		}
		slot_ring_destroy(r);
	}
	slot_ring_destroy(NULL);
}

Test(slot_ring, long_chains_lose_any_link)
{
	struct slot_ring *r = slot_ring_create(100);
	for (uint32_t i = 0; i < 1000; i++) {
		struct slot_key key = key_of(i);
		slot_ring_add(r, &key);
		for (uint32_t k = i < 150 ? 0 : i - 150; k <= i; k++) {
			key = key_of(k);
			bool is_there = k + 100 > i;
			cr_assert_eq(slot_ring_find(r, &key), is_there ? (int32_t)(k % 100) : SLOT_NONE);
		}
	}
	slot_ring_destroy(r);
}
