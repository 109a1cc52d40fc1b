/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual channels of the library, static and dynamic, as this front uses them: opened by us, polled on our thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <winpr/wtsapi.h>

#include "base/buf.h"
#include "base/err.h"

/* A dynamic channel by name; its client may still refuse it. NULL on failure. */
HANDLE channel_open_dynamic(HANDLE manager, const char *name);
/* The client has accepted a dynamic channel: from here on it can be written. */
bool channel_is_ready(HANDLE channel);
/* The client has refused a dynamic channel, or has closed it: nobody reads what is written. */
bool channel_is_gone(HANDLE channel);
/* Hands all whole messages that have come to take. Its failure ends the walk and is returned. */
int channel_read(HANDLE channel, int (*take)(void *arg, const uint8_t *data, size_t len, struct pst_err *err), void *arg, struct pst_err *err);
/* Queues a message; the caller flushes. */
int channel_write(HANDLE channel, const struct pst_buf *message, struct pst_err *err);
