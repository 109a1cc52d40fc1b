/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stories of input, told by input.c in the order that test_agent.c gives. */
#pragma once

#include "tests/integration/agent/desk.h"

/* The next grant's epoch. */
extern unsigned long long stories_epoch;

void keys_arrive_right_in_every_layout(struct desk *d);
void held_modifiers_do_not_spoil_keysyms(struct desk *d);
void repeats_come_from_the_viewer_alone(struct desk *d);
void layout_of_the_viewer_makes_codes_keys(struct desk *d);
void nothing_stays_down(struct desk *d);
void wheel_counts_notches(struct desk *d);
void xterm_gets_every_letter(struct desk *d);
