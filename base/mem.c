/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checked size arithmetic. */
#include "base/mem.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAPPED_FROM (256 * 1024) /* bytes; without a fixed one glibc's grows with whatever was freed */
#define TOP_KEPT (256 * 1024)
#define ZEROS_MAX ((size_t)64 << 20) /* bytes of a mapping that is looked through */
#define WINDOW 256                   /* pages that the kernel is asked for at once */

bool pst_mem_mul(size_t a, size_t b, size_t *ret_product)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;

	*ret_product = product;
	return true;
}

bool pst_mem_add(size_t a, size_t b, size_t *ret_sum)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;

	*ret_sum = sum;
	return true;
}

void *pst_zalloc(size_t n, size_t size)
{
	size_t bytes;

	if (!pst_mem_mul(n, size, &bytes))
		return NULL;

	return calloc(1, bytes ? bytes : 1);
}

void *pst_memdup(const void *p, size_t n)
{
	size_t bytes;

	if (!pst_mem_add(n, 1, &bytes))
		return NULL;

	char *copy = malloc(bytes);
	if (!copy)
		return NULL;

	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

void pst_mem_be_small(void)
{
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	mallopt(M_TRIM_THRESHOLD, TOP_KEPT);
	mallopt(M_ARENA_MAX, 1);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

void pst_mem_trim(void)
{
	malloc_trim(0);
}

#ifdef __SANITIZE_ADDRESS__

/* The sanitizer's memory has parts that nobody may read. */
void pst_mem_forget_zeros(void)
{
}

#else

static bool is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* Pages that are not there are not looked at, for that would make them. */
static void forget_zeros_of(uint8_t *at, size_t pages, size_t page)
{
	unsigned char is_there[WINDOW];

	if (mincore(at, pages * page, is_there) < 0)
		return;
	for (size_t i = 0; i < pages; i++)
		if ((is_there[i] & 1) && is_zero(at + i * page, page))
			madvise(at + i * page, page, MADV_DONTNEED);
}

void pst_mem_forget_zeros(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), step = WINDOW * page;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t from, to;
		char mode[5], name[8] = "";
		int n = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %7s", &from, &to, mode, name);

		if (n < 3 || strcmp(mode, "rw-p") != 0 || (n == 4 && strcmp(name, "[heap]") != 0) ||
			to - from > ZEROS_MAX)
			continue;
		for (; from < to; from += step)
			forget_zeros_of((uint8_t *)from, PST_MIN(step, to - from) / page, page);
	}
	if (maps)
		fclose(maps);
}

#endif
