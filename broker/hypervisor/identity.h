/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes a copy of an image one desktop: its account, its machine id, its enrolment. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

#define IDENTITY_ACCOUNTS_MAX (256 * 1024) /* bytes of an image's passwd or group file */
#define IDENTITY_LINE_SIZE 256
#define IDENTITY_ID_SIZE 40

/* The user's lines of /etc/passwd and /etc/group, without an end of line. */
void identity_passwd(uid_t uid, char out[IDENTITY_LINE_SIZE]);
void identity_group(uid_t uid, char out[IDENTITY_LINE_SIZE]);

/* Appends an image's accounts without another "user", and own. Sticky failure as of any buffer. */
void identity_accounts(struct pst_buf *out, const char *text, const char *own);

/* The text of /etc/machine-id. */
void identity_machine_id(const char *desktop, char out[IDENTITY_ID_SIZE]);

/*
 * Writes run/enrol.json for the agent, readable by uid alone. run belongs to the desktop, so whatever
 * stands at the name is removed and never opened. Nothing without a token.
 */
int identity_enrol(const char *run, const char *desktop, const char *token, uid_t uid, struct pst_err *err);
