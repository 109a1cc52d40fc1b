/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Versions on their way to the pools: calls of the reconciler, see reconciler.h.
 */
#pragma once

#include "broker/core/rollout.h"

struct pst_err;
struct reconciler;

/* Puts a version on its way to the pools that follow the image (broker/core/rollout.h). PST_ENOTFOUND: there
 * is no such version; PST_ECONFLICT: it is neither ready nor failed, or another one is on its way. */
int reconciler_publish(struct reconciler *r, const char *image, const char *version,
	const struct rollout_plan *plan, const struct core_actor *by, struct pst_err *err);
/* PST_ECONFLICT: there is none that goes on. */
int reconciler_rollout(struct reconciler *r, const char *image, enum rollout_act act,
	const struct core_actor *by, struct pst_err *err);
/* After the row of a version was removed, or marked as retired: no roll-out goes back to it. */
int reconciler_version_ended(
	struct reconciler *r, const char *image, const char *version, struct pst_err *err);
