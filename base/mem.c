/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checked size arithmetic. What asks the kernel is in mem_pages.c. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

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
