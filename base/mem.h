/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checked size arithmetic and the few macros that everybody would write again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* ret_product = a * b; false (and ret untouched) when it does not fit. */
bool pst_mem_mul(size_t a, size_t b, size_t *ret_product);

/* ret_sum = a + b; false (and ret untouched) when it does not fit. */
bool pst_mem_add(size_t a, size_t b, size_t *ret_sum);

/* n zeroed items of size bytes, returns owned (free()); NULL on overflow or no memory. */
void *pst_zalloc(size_t n, size_t size);

/* A copy of n bytes with a terminating zero added, returns owned; NULL on no memory. */
void *pst_memdup(const void *p, size_t n);

/*
 * For a program of which many run at once, before its first thread: what it frees goes back to the kernel
 * soon, all threads allocate from one place, and the kernel gives no huge pages, of which a library that asks
 * for them would use a part.
 */
void pst_mem_be_small(void);

/* After something large was freed that had many small pieces: gives back the pages that lie free between
 * others. Takes about as long as they are many. */
void pst_mem_trim(void);

/*
 * Gives back the pages that were written with nothing but zeros, as libraries do that clear large tables in
 * advance; they stay what they are to who reads them. While the program has one thread, and may open
 * /proc/self/maps.
 */
void pst_mem_forget_zeros(void);

/* Recovers the struct that embeds member at ptr; the type of ptr is checked. */
#define pst_container_of(ptr, type, member) \
	(__extension__({ \
		const __typeof__(((type *)0)->member) *pst_member_ = (ptr); \
		(type *)((char *)(__UINTPTR_TYPE__)pst_member_ - offsetof(type, member)); \
	}))

#define PST_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Each argument is evaluated once. The counter makes the names of nested uses differ. */
#define PST_MIN(a, b) PST_PICK_(a, b, <, __COUNTER__)
#define PST_MAX(a, b) PST_PICK_(a, b, >, __COUNTER__)
#define PST_CLAMP(v, lo, hi) PST_MIN(PST_MAX(v, lo), hi)

#define PST_PICK_(a, b, op, n) PST_PICK_NAMED_(a, b, op, n)
#define PST_PICK_NAMED_(a, b, op, n) \
	(__extension__({ \
		__typeof__(a) pst_a_##n = (a); \
		__typeof__(b) pst_b_##n = (b); \
		pst_a_##n op pst_b_##n ? pst_a_##n : pst_b_##n; \
	}))
