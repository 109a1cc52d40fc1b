/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The viewer's scale as the desktop's Xft.dpi, in the resources that the X server keeps for its clients
 * (RESOURCE_MANAGER). Programs read it when they start: what runs already stays as it is.
 */
#pragma once

#include "agent/x11.h"
#include "base/buf.h"

#define SCALE_RESOURCES_MAX (64 * 1024) /* bytes */

/* Appends old (NULL for none) to out with Xft.dpi for so many percent in place of any other. out->failed tells
 * that it has no room. */
void scale_resources(const char *old, uint32_t scale_pct, struct pst_buf *out);

/* Leaves resources without Xft.dpi alone while the scale is 100. */
void scale_apply(struct x11 *x, uint32_t scale_pct);
