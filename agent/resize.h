/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A new screen size by RandR. */
#pragma once

#include "agent/x11.h"

/*
 * Sets the screen to width × height, or to the largest size within both that and the X server's maximum. The
 * capture notices by itself. 0 (also when nothing had to change), or PST_E… with err.
 */
int screen_resize(struct x11 *x, int32_t width, int32_t height, struct pst_err *err);
