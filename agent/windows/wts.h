/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows' own word on who is logged on (Remote Desktop Services), and what can be asked of it. A test links a script in its place. */
#pragma once

#include "agent/windows/seats.h"
#include "base/err.h"

/* All log-ons, at most max. PST_EIO. *ret_n is written only on success. */
int wts_look(struct seat *out, size_t max, size_t *ret_n, struct pst_err *err);

/* Shows it in that session, without waiting for anybody to read it. */
int wts_message(uint32_t id, const char *text, struct pst_err *err);
/* Begins to log it off; programs that ask something are ended by Windows. */
int wts_logoff(uint32_t id, struct pst_err *err);

/* Restarts the machine, or switches it off. */
int wts_power(bool is_restart, const char *reason, struct pst_err *err);
