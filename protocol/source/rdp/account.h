/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How to log in to an RDP server, and by what its certificate is known. As JSON:
 *
 *	{"login": "ask"|"fixed", "user", "domain", "password", "fingerprint", "ca", "name", "layout", "video"}
 *
 * fingerprint is the SHA-256 of the certificate, in hex; ca is PEM, and then name is whom the certificate is for. One of the
 * two must be there. layout is the XKB name of the keyboard to begin with. video lets the server send lossy video.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "protocol/link/input.h"

#define RDP_NAME_SIZE 256
#define RDP_FINGERPRINT_LEN 32
#define RDP_CA_MAX (32 * 1024) /* bytes of PEM */

struct rdp_account {
	bool asks; /* the server's own log-in is shown; nothing is said of the user */
	bool has_video;
	bool has_fingerprint;
	uint8_t fingerprint[RDP_FINGERPRINT_LEN];
	char user[RDP_NAME_SIZE], domain[RDP_NAME_SIZE];
	char name[RDP_NAME_SIZE];
	char layout[INPUT_LAYOUT_MAX];
	struct pst_secret password;
	char *ca; /* owned; NULL without */
};

/* PST_EINVAL with what is missing; ret is only set on success. */
int rdp_account_parse(const char *json, struct rdp_account *ret, struct pst_err *err);
/* Wipes the password. Accepts a zeroed struct. */
void rdp_account_finish(struct rdp_account *a);
