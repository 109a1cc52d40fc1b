/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The source that is an RFB (VNC) server: a machine's console at its hypervisor, or a machine that speaks
 * nothing else. source_params.fd is the connection to it, which somebody else has made; source_params.grant
 * is its password, "" for none.
 */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_rfb;
