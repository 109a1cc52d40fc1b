/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a desktop's agent is told before its first start: puesto-seed(8) reads it in the machine. Any thread. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"

#include <jansson.h>

struct seed_site {
	char agents[80]; /* ADDRESS:PORT of the broker; "" where desktops have no agent of ours */
	char agents_ca[PATH_MAX];
	uint16_t agent_port;
};

/* Of the provider's section: agents, agents_ca (DATA/pki/ca.pem), agent_port (5910). */
int seed_site_read(struct seed_site *s, const struct driver_params *p, struct pst_err *err);

/* With the enrolment's token, if the request has one: a secret. Returns owned, NULL with err. */
json_t *seed_json(const struct seed_site *s, const struct machine_request *r, struct pst_err *err);

/* All clones of a parent have its clock and its random state: they get their own with the seed. -1 on no memory. */
int seed_fresh(json_t *seed);

/* The same as text. Returns owned (seed_text_free), NULL with err. */
char *seed_text(const struct seed_site *s, const struct machine_request *r, struct pst_err *err);
/* Or as a drive with that file (iso.h), for systems that read no firmware's. PST_ELIMIT for too large a seed. */
int seed_disk_write(const char *path, const struct seed_site *s, const struct machine_request *r, mode_t mode, struct pst_err *err);
/* Wipes it. Accepts NULL. */
void seed_text_free(char *text);
