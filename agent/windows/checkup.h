/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The image's own check (docs/images.md): health.cmd in the agent's folder, run once at the start, with 60 s. None: the desktop is well. */
#pragma once

#include "agent/windows/disk.h"

#include <stdint.h>

#define CHECKUP_MS 60000
#define CHECKUP_TEXT_SIZE 200

struct checkup;

/* Returns owned, NULL on no memory. */
struct checkup *checkup_start(const struct disk *d, uint64_t now_ms);
void checkup_destroy(struct checkup *c);

void *checkup_event(const struct checkup *c); /* a HANDLE, or NULL: nothing runs */
uint64_t checkup_next_ms(const struct checkup *c);
/* True when it is known now and was not. */
bool checkup_step(struct checkup *c, uint64_t now_ms);

bool checkup_is_known(const struct checkup *c);
/* The first line that it said, or a sentence of ours; "" when it is well, or not known yet. */
const char *checkup_fault(const struct checkup *c);
