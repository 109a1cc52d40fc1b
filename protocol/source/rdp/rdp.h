/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The source that is an RDP server: a Windows machine, or any other that speaks nothing else. source_params.fd
 * is the connection to it, which somebody else has made, and no other is ever opened; source_params.grant says
 * how to log in and by what the server is known (account.h). FreeRDP does the protocol on a thread of its own.
 */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_rdp;
