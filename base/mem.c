/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checked size arithmetic. */
#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define MAPPED_FROM (256 * 1024) /* bytes; without a fixed one glibc's grows with whatever was freed */
#define TOP_KEPT (256 * 1024)

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
