/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How users come in to machines that speak RDP, by the provider's section:
 *
 *	rdp_login = ask|fixed       the machine's own log-in is shown, or the account of the file is used
 *	rdp_accounts = FILE         a line each: MACHINE USER PASSWORD; "*" is any machine; readable by its owner alone
 *	rdp_ca = FILE               PEM: whose certificates machines have
 *	rdp_fingerprint = HEX       the SHA-256 of the one certificate that they all have
 *	rdp_video = yes|no          they may send video, which loses
 *	rdp_port = 3389             of machines that we make
 *	rdp_wait_s = 180            that those without an agent get until their server answers
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/seed.h"

#include <jansson.h>

#define RDP_PIN_SIZE 65 /* a SHA-256 in hex, with its NUL */

struct rdp_site {
	bool is_fixed, has_video;
	char accounts[PATH_MAX], ca[PATH_MAX]; /* "" where not set */
	char pin[RDP_PIN_SIZE];
	uint16_t port;
	uint32_t wait_ms;
};

/* One machine's own words, "" or NULL for none; they go before the provider's. */
struct rdp_machine {
	const char *name;  /* in the file of accounts */
	const char *host;  /* in its certificate */
	const char *login; /* "ask", "fixed" */
	const char *pin, *layout;
};

int rdp_site_read(struct rdp_site *s, const struct driver_params *p, struct pst_err *err);

/* 64 hex digits, with or without colons, as 64 lower-case ones. PST_EINVAL. */
int rdp_pin_read(const char *text, char ret[RDP_PIN_SIZE], struct pst_err *err);
/* Something says by what its certificate is known. */
bool rdp_site_knows(const struct rdp_site *s, const char *pin);

/* What the gateway's process needs (protocol/source/rdp/account.h): a secret. Returns owned; NULL with err. */
json_t *rdp_site_account(const struct rdp_site *s, const struct rdp_machine *m, struct pst_err *err);
/*
 * The same, in *ret_account, for a machine of that request that is reached at e; pin "": what the provider knows of its certificate. In the file it has
 * its host name. PST_EUNSUPPORTED where e is no RDP server, PST_EBUSY
 * while its address is not known. Without ret_account only the way is asked for: 0.
 */
int rdp_site_enter(const struct rdp_site *s, const struct machine_request *r, const struct machine_endpoint *e, const char *pin, json_t **ret_account,
	struct pst_err *err);
/*
 * Where a machine at that numeric address is reached, by what it was asked to be: its agent's display link, or its RDP server. address "": it is not
 * known. That is none, but for a machine with an agent beside it: the agent says when it can be used, and then its way says where it is.
 */
void rdp_site_endpoint(const struct rdp_site *s, const struct seed_site *seed, const struct machine_request *r, const char *address,
	struct machine_endpoint *ret);
/* It is shown by RDP, and nobody else says when it can be used: without an address it is of no use. */
bool rdp_site_needs_address(const struct seed_site *seed, const struct machine_request *r);
/*
 * It has an agent beside its RDP server: Windows. That is told to end before the hypervisor asks for it, and what answers the hypervisor in it may have
 * ended already.
 */
bool rdp_site_has_agent(const struct seed_site *seed, const struct machine_request *r);

/* A VNC server's password for that machine: {"password"}, or {} without a line for it. Returns owned; NULL with err. */
json_t *rdp_site_password(const struct rdp_site *s, const char *name, struct pst_err *err);
