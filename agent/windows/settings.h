/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings.json in the agent's folder: what an administrator may want otherwise in an image. Without it, or a field of it, the default. */
#pragma once

#include "agent/windows/key.h"

#include <stdbool.h>
#include <stddef.h>

struct settings {
	uint16_t rdp_port;          /* "rdp_port": 3389 */
	bool fence;                 /* "fence": true. End remote log-ons that are nobody's */
	const struct key_type *key; /* "key": "ecdsa", or "rsa" */
};

void settings_default(struct settings *s);
/* PST_EINVAL with the field. */
int settings_parse(const char *text, size_t len, struct settings *s, struct pst_err *err);
