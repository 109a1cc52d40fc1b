/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probe of seats, again and again: a machine that starts has nothing of its own that would tell. */
#include "broker/hypervisor/answering.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/hosts/probe.h"

#include <poll.h>

#define PROBE_MS 3000
#define PAUSE_MS 1000 /* each look is a line in its log */

static bool is_cancelled(int cancel_fd, uint64_t pause_ms)
{
	struct pollfd p = { .fd = cancel_fd, .events = POLLIN };

	return poll(&p, 1, (int)pause_ms) == 1;
}

int answering_await(const struct machine_endpoint *e, uint64_t until_ms, int cancel_fd, struct pst_err *err)
{
	struct seat seat = { .port = e->port, .protocol = SEAT_RDP };
	struct probe probe = { .seat = &seat };
	uint64_t now;

	if (pst_strlcpy(seat.address, sizeof(seat.address), e->address) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" is no numeric address", e->address);
	while (!is_cancelled(cancel_fd, 0)) {
		probe.answers = false;
		probe_run(&probe, 1, PROBE_MS, cancel_fd);
		now = pst_mono_ms();
		if (probe.answers)
			return 0;
		if (now >= until_ms)
			return pst_err_set(err, PST_ETIMEOUT, "its RDP server at %s port %u does not answer (%s): does the image start one? \"rdp_wait_s\" is how long it is waited for",
				seat.address, e->port, probe.reason);
		if (is_cancelled(cancel_fd, PST_MIN((uint64_t)PAUSE_MS, until_ms - now)))
			break;
	}
	return pst_err_set(err, PST_ECLOSED, "given up while its RDP server was waited for");
}
