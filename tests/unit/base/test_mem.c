/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes that do not fit are refused. Covers: base/mem_pages.c */
#include "base/mem.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

Test(mem, arithmetic_is_checked)
{
	static const struct {
		size_t a, b;
		bool mul, add;
	} cases[] = {
		{ 0, SIZE_MAX, true, true },
		{ 1, SIZE_MAX, true, false },
		{ 2, SIZE_MAX / 2, true, true },
		{ 2, SIZE_MAX / 2 + 1, false, true },
		{ SIZE_MAX, SIZE_MAX, false, false },
		{ 8192, 8192, true, true },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		size_t r = 77;

		cr_assert_eq(pst_mem_mul(cases[i].a, cases[i].b, &r), cases[i].mul, "%zu", i);
		cr_assert_eq(r, cases[i].mul ? cases[i].a * cases[i].b : 77);
		r = 77;
		cr_assert_eq(pst_mem_add(cases[i].a, cases[i].b, &r), cases[i].add, "%zu", i);
		cr_assert_eq(r, cases[i].add ? cases[i].a + cases[i].b : 77);
	}
}

Test(mem, zalloc_refuses_overflow_and_zeroes)
{
	unsigned char *p = pst_zalloc(3, 5);

	cr_assert_not_null(p);
	for (int i = 0; i < 15; i++)
		cr_assert_eq(p[i], 0);
	free(p);
	cr_assert_null(pst_zalloc(SIZE_MAX, 2));
	p = pst_zalloc(0, 8);
	cr_assert_not_null(p);
	free(p);

	char *copy = pst_memdup("abc", 3);
	cr_assert_str_eq(copy, "abc");
	free(copy);
	cr_assert_null(pst_memdup("", SIZE_MAX));
}

/* Bytes of blocks that go back to the kernel by themselves. Zero under sanitizers, which have an allocator of their own. */
static size_t mapped_by(void *p)
{
	size_t with = mallinfo2().hblkhd;

	free(p);
	return with - mallinfo2().hblkhd;
}

Test(mem, a_small_program_gives_back_what_it_frees)
{
	pst_mem_be_small();
	bool has_glibc = mapped_by(malloc(8 << 20)) > 0; /* glibc would keep up to so much from now on */

	cr_assert(!has_glibc || mapped_by(malloc(300 << 10)) >= 300 << 10);
	cr_assert_eq(mapped_by(malloc(100 << 10)), 0, "what is small comes often");
	cr_assert_eq(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
	pst_mem_trim();
}

static size_t pages_there(void *p, size_t pages, size_t page)
{
	unsigned char is_there[64];
	size_t count = 0;

	cr_assert_eq(mincore(p, pages * page, is_there), 0);
	for (size_t i = 0; i < pages; i++)
		count += is_there[i] & 1;
	return count;
}

Test(mem, pages_of_zeros_are_forgotten_and_others_stay)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip_test("the sanitizer's memory is not looked through");
#endif
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p = mmap(NULL, 64 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	for (size_t i = 0; i < 64; i++)
		((volatile uint8_t *)p)[i * page] = 0;
	p[3 * page] = 1;
	p[10 * page - 1] = 2;
	cr_assert_eq(pages_there(p, 64, page), 64u);
	pst_mem_forget_zeros();
	cr_assert_eq(pages_there(p, 64, page), 2u);
	cr_assert(p[3 * page] == 1 && p[10 * page - 1] == 2 && p[20 * page] == 0);
	munmap(p, 64 * page);
}

Test(mem, macros_evaluate_once)
{
	struct outer {
		int x;
		long inner;
	} o;
	int i = 3;

	cr_assert_eq(pst_container_of(&o.inner, struct outer, inner), &o);
	cr_assert_eq(PST_MIN(i++, 10), 3);
	cr_assert_eq(PST_MAX(i++, 1), 4);
	cr_assert_eq(PST_CLAMP(i++, 0, 4), 4);
	cr_assert_eq(PST_CLAMP(-1, 0, 4), 0);
	cr_assert_eq(i, 6);
}
