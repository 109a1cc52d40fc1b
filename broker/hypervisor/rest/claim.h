/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a driver writes beside a machine at a hypervisor that keeps a text for us: whose it is, what was asked
 * and how far it came. It is written before the thing is done, and it is what makes a machine ours. It names
 * the place that it stands at, so a copy that somebody made of the machine is not taken for it.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/machine.h"

#define CLAIM_MAX (8u << 10) /* bytes of its text */
#define CLAIM_PLACE_SIZE 128
#define CLAIM_ADDRESS_SIZE 46

enum claim_phase {
	CLAIM_CREATING,
	CLAIM_RUNNING,
	CLAIM_STOPPED, /* by us */
	CLAIM_DESTROYING,
};

struct claim {
	enum claim_phase phase;
	char instance[MARK_SIZE];
	char provider[MACHINE_NAME_SIZE];
	char place[CLAIM_PLACE_SIZE];     /* the hypervisor's own id of the machine */
	char address[CLAIM_ADDRESS_SIZE]; /* "" while none is known */
	struct machine_request request;   /* its token is never written */
};

/* JSON, returns owned; NULL with err: PST_ELIMIT for more than CLAIM_MAX. */
char *claim_text(const struct claim *c, struct pst_err *err);

/* text may have other words before the first '{' and after the last '}'. PST_EINVAL for what is no claim. */
int claim_parse(const char *text, struct claim *ret, struct pst_err *err);

/* Of this installation, this provider, and this place? */
bool claim_is_ours(const struct claim *c, const char *instance, const char *provider, const char *place);

/* How whole a machine of that phase is: of two for one desktop, the one with more counts. */
int claim_rank(enum claim_phase phase);

/* State and reason of a machine of that claim which does or does not run. */
enum machine_state claim_state(const struct claim *c, bool is_running, char reason[MACHINE_REASON_SIZE]);
