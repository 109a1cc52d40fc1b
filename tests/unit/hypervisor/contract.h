/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every driver must keep to: one suite, run against each of them. */
#pragma once

#include "broker/hypervisor/driver.h"

extern bool contract_guestless; /* nothing runs in the machines */

/* A request for a new desktop with fresh uuids; image_base is "host", or image_path if that is a "ref:" or the path of a "….qcow2". */
void contract_request(struct machine_request *r, const char *image_path);

/*
 * Runs the whole suite, or the one part of it that PUESTO_TEST_CONTRACT names; machines of it are gone afterwards. die ends one from
 * outside.
 */
void contract_check(struct driver *d, uv_loop_t *loop, const char *image_path,
	void (*die)(struct driver *d, const char *desktop));

/* Its parts about commands that come twice, at the same time, or are cancelled. */
void contract_twice(struct driver *d, const char *image_path);
void contract_at_once(struct driver *d, const char *image_path);
void contract_cancel(struct driver *d, const char *image_path);
