/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tells when the wall clock was put to another time, which is how a machine learns that it was suspended: connections of before
 * are dead then, and no packet says so. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct clock_step;

/* Of both clocks at two moments, in ms: is it more than a correction? */
bool clock_step_is_large(int64_t real_before, int64_t mono_before, int64_t real_now, int64_t mono_now);

/* Calls stepped after each large one, back or forth. Returns owned; NULL where the kernel does not tell. */
struct clock_step *clock_step_create(uv_loop_t *loop, void (*stepped)(void *arg), void *arg);
void clock_step_destroy(struct clock_step *s);
