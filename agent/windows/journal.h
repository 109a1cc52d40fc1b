/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's log: agent.log in its folder (and agent.log.1 before it), Windows' event log for a service, standard error by hand. */
#pragma once

#include "agent/windows/disk.h"

enum journal_level { JOURNAL_INFO, JOURNAL_WARN, JOURNAL_ERROR };

/* is_service: to the event log instead of standard error. */
void journal_open(const struct disk *d, bool is_service);
void journal_close(void);
void journal(enum journal_level level, const char *fmt, ...) __attribute__((format(gnu_printf, 2, 3)));

/* The name in the event log; install and uninstall register it. */
#define JOURNAL_SOURCE L"PuestoAgent"
