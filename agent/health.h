/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The image's own check of a desktop: a program that ends with 0 when all is well, and else says on its
 * output why not. It runs once, as the desktop's user, and has HEALTH_MS; the agent is not ready before. An
 * image without one is well. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#define HEALTH_PATH "/etc/puesto/health"
#define HEALTH_MS 60000
#define HEALTH_TEXT_SIZE 256

struct health;

/* Starts it. done is called from the loop when the answer is there, never from within this call; it is not
 * called when the answer is known at once, as where there is no such file. Returns owned, NULL on no memory.
 */
struct health *health_create(uv_loop_t *loop, const char *path, void (*done)(void *arg), void *arg);
/* Whoever still runs is killed, with what it has started. */
void health_close(struct health *h);

bool health_is_known(const struct health *h);
/* One line, borrowed as long as h; NULL: it is well, or not known yet. */
const char *health_fault(const struct health *h);
