/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line of QEMU's monitor protocol (QMP specification 2.4), read and told apart. A QEMU may be in its
 * guest's hands: data, not words. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define QMP_LINE_MAX (1024 * 1024)
#define QMP_DEPTH_MAX 24

enum qmp_kind {
	QMP_GREETING, /* {"QMP": {…}} */
	QMP_RETURN,   /* {"return": …, "id": n} */
	QMP_ERROR,    /* {"error": {"class", "desc"}, "id": n} */
	QMP_EVENT,    /* {"event": name, "data": {…}} */
};

struct qmp_message {
	enum qmp_kind kind;
	int64_t id;       /* of a return or an error; -1 without one */
	const char *text; /* an event's name, an error's words; else "" */
	json_t *value;    /* what was returned, an event's data, or NULL; borrowed from root */
	json_t *root;
};

/* 0, or PST_EPROTO with err: what is none of the four ends a connection. Fill ends with qmp_message_finish.
 */
int qmp_message_read(const char *line, size_t len, struct qmp_message *ret, struct pst_err *err);

/* Accepts a zeroed struct. */
void qmp_message_finish(struct qmp_message *m);
