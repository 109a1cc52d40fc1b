/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The RDP front for the registry: FreeRDP 3's server for handshake, input and capabilities; the graphics channel is ours. */
#pragma once

#include "protocol/front/front.h"

extern const struct front_type front_rdp;
