/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The registry's entry for our browser client. */
#pragma once

#include "protocol/front/front.h"

extern const struct front_type front_ws;
