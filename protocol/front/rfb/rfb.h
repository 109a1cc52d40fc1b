/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The RFB 3.8 front for the registry: VNC viewers (VeNCrypt X509Plain) and noVNC behind a ticket. */
#pragma once

#include "protocol/front/front.h"

extern const struct front_type front_rfb;
