/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A running domain's port org.puesto.seed, through libvirt: its socket's path is the host's own matter. */
#pragma once

#include "broker/hypervisor/libvirt/libvirt_priv.h"

#define LV_CHANNEL "org.puesto.seed"

/*
 * Says text, if there is one, and reads until the machine says word (port.h). stop: borrowed, ends it (PST_ECLOSED) when it is
 * set and lv's threads are woken; so does the driver's end. PST_ETIMEOUT at deadline_ms.
 */
int lv_channel_talk(struct lv_host *h, virDomainPtr d, const char *text, const char *word, uint64_t deadline_ms, const atomic_bool *stop,
	struct pst_err *err);
