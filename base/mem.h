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

/* Recovers the struct that embeds member at ptr; the type of ptr is checked. */
#define pst_container_of(ptr, type, member) \
	(__extension__({ \
		const __typeof__(((type *)0)->member) *pst_member_ = (ptr); \
		(type *)((char *)(__UINTPTR_TYPE__)pst_member_ - offsetof(type, member)); \
	}))

#define PST_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Each argument is evaluated once. */
#define PST_MIN(a, b) \
	(__extension__({ \
		__typeof__(a) pst_min_a_ = (a); \
		__typeof__(b) pst_min_b_ = (b); \
		pst_min_a_ < pst_min_b_ ? pst_min_a_ : pst_min_b_; \
	}))
#define PST_MAX(a, b) \
	(__extension__({ \
		__typeof__(a) pst_max_a_ = (a); \
		__typeof__(b) pst_max_b_ = (b); \
		pst_max_a_ > pst_max_b_ ? pst_max_a_ : pst_max_b_; \
	}))
#define PST_CLAMP(v, lo, hi) \
	(__extension__({ \
		__typeof__(v) pst_clamp_v_ = (v); \
		__typeof__(v) pst_clamp_lo_ = (lo); \
		__typeof__(v) pst_clamp_hi_ = (hi); \
		pst_clamp_v_ < pst_clamp_lo_ ? pst_clamp_lo_ : \
		pst_clamp_v_ > pst_clamp_hi_ ? pst_clamp_hi_ : pst_clamp_v_; \
	}))
