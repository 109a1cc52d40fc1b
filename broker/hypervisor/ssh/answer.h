/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a script of ours prints on a host: hostile data with a ceiling. Pure.
 *
 *	@records          our records, a line of JSON each
 *	@machines         what the command "list" prints: NAME STATE [ADDRESS]
 *	@end STATUS STEP  of the script; without it the answer was cut
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/libvirt/address.h"

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_MAX (8u << 20) /* bytes */
#define ANSWER_LINES_MAX 65536
#define ANSWER_NAME_SIZE 80

enum answer_state { ANSWER_RUNNING, ANSWER_STOPPED, ANSWER_SUSPENDED, ANSWER_OTHER };

struct answer_machine {
	char name[ANSWER_NAME_SIZE];
	char word[24]; /* its state, as the host says it */
	char address[LV_ADDRESS_SIZE]; /* "" where none is listed */
	enum answer_state state;
};

struct answer_line {
	const char *text; /* of the parsed text; not terminated */
	size_t len;
};

struct answer {
	struct answer_line *records; /* owned, as machines */
	size_t records_n;
	struct answer_machine *machines; /* by name */
	size_t machines_n;
	bool has_end;
	int status;
	char step[24];
};

/* text lives as long as ret. PST_ELIMIT for too many lines, PST_ENOMEM. answer_finish follows in any case. */
int answer_parse(const char *text, size_t len, struct answer *ret, struct pst_err *err);
void answer_finish(struct answer *a);

/* NULL when it is not listed. */
const struct answer_machine *answer_find(const struct answer *a, const char *name);
