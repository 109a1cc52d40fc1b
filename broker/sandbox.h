/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The broker's door: its database, its sockets and its threads. Starting a program, tracing or becoming another user ends it; any other call
 * that it does not know fails with EPERM, for a broker that stops is worse than one that logs an error.
 */
#pragma once

#include "base/err.h"

/* After root is dropped and with no_new_privs. */
int sandbox_broker_enter(struct pst_err *err);
