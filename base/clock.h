/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clocks, for the edges of a program: decisions take `now` as a parameter. Any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Monotonic: for leases, deadlines and measurements. */
uint64_t pst_mono_ns(void);
uint64_t pst_mono_us(void);
uint64_t pst_mono_ms(void);

/* Processor time of this thread: what others do meanwhile does not count. */
uint64_t pst_cpu_ns(void);

/* Milliseconds since 1970-01-01T00:00:00Z: for TOTP, certificates and audit only. */
int64_t pst_wall_ms(void);

#define PST_RFC3339_SIZE 25 /* "2026-01-02T03:04:05.678Z" and a zero */

/* Years 0000-9999; "" for anything outside. */
void pst_rfc3339(int64_t wall_ms, char out[PST_RFC3339_SIZE]);

/* Z or +hh:mm offsets, optional fraction (cut to ms). 0 or PST_EINVAL. */
int pst_rfc3339_parse(const char *s, int64_t *ret_wall_ms);
