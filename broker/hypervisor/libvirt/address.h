/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which IPv4 address of a range belongs to which desktop. The caller locks. */
#pragma once

#include "base/err.h"
#include "base/hash.h"

#include <stdint.h>

#define LV_ADDRESS_SIZE 46
#define LV_ADDRESSES_MAX 65536

struct lv_addresses {
	uint32_t first; /* host order */
	uint32_t n;     /* 0: none are given out */
	struct pst_uuid *owners; /* n of them, owned; nil is free */
};

/* "10.0.0.10-10.0.0.99" */
int lv_addresses_init(struct lv_addresses *a, const char *range, struct pst_err *err);
void lv_addresses_finish(struct lv_addresses *a);

/* The desktop's own, or a free one: the same again while it is not taken. PST_ELIMIT when all are. */
int lv_addresses_take(struct lv_addresses *a, const char *desktop, char out[LV_ADDRESS_SIZE], struct pst_err *err);
/* What a record says; foreign text and addresses outside the range are ignored. */
void lv_addresses_mark(struct lv_addresses *a, const char *desktop, const char *address);
void lv_addresses_release(struct lv_addresses *a, const char *desktop);
