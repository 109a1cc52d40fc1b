/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waits for a machine's own RDP server. Any thread. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"

/* 0 as soon as it says the first words of its protocol. PST_ETIMEOUT with what was there instead; PST_ECLOSED when cancel_fd is readable. */
int answering_await(const struct machine_endpoint *e, uint64_t until_ms, int cancel_fd, struct pst_err *err);
