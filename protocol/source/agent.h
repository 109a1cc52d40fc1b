/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The source at the end of a display link: a desktop with a Puesto agent. */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_agent;
