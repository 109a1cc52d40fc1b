/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message for the user, in a small window on top of everything, until it is clicked or a minute has passed.
 */
#pragma once

#include <uv.h>

#include "agent/x11.h"

struct notice;

/* Returns owned, NULL on no memory. */
struct notice *notice_create(uv_loop_t *loop, struct x11 *x);
void notice_destroy(struct notice *n);

/* text is valid UTF-8; long ones are broken into lines and cut. A newer one takes the older one's place. */
void notice_show(struct notice *n, const char *text);
void notice_hide(struct notice *n);
