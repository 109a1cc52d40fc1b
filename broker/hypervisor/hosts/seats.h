/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of seats: machines that are there already and are lent. A line of the file each:
 *
 *	NAME address=10.1.3.11 protocol=agent [port=5910] [mac=52:54:00:12:34:56] [secureon=…] [wake=10.1.3.255]
 *	NAME address=10.1.3.12 protocol=rdp [login=ask|fixed] [fingerprint=…] [name=pc12.example]
 *
 * Blank lines and lines that begin with # are none. Pure but for seats_load.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"
#include "broker/hypervisor/rdp_site.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEATS_MAX 4096
#define SEATS_BYTES_MAX (1u << 20)
#define SEAT_ADDRESS_SIZE 46

/* The last one is no word of the list: it is how a seat is reached before its agent has an identity. */
enum seat_protocol { SEAT_AGENT, SEAT_VNC, SEAT_RDP, SEAT_SSH };

struct seat {
	char name[MACHINE_NAME_SIZE];
	char address[SEAT_ADDRESS_SIZE]; /* numeric */
	char wake[SEAT_ADDRESS_SIZE];    /* where a magic packet goes; "": the provider's */
	uint8_t mac[6];
	uint8_t secureon[6];
	uint8_t secureon_len; /* 0, 4 or 6 */
	bool has_mac;
	uint16_t port;
	enum seat_protocol protocol;
	/* of RDP; "" where not set */
	char pin[RDP_PIN_SIZE], login[8], host[256];
};

struct seats {
	struct seat *list; /* owned, in the file's order */
	size_t n;
};

/* PST_EINVAL with the line and what is wrong; two of one name, or of one address and port, are. ret is only set on success. */
int seats_parse(const char *text, struct seats *ret, struct pst_err *err);
int seats_load(const char *path, struct seats *ret, struct pst_err *err);
/* Accepts a zeroed struct. */
void seats_finish(struct seats *s);

/* NULL when there is none. */
const struct seat *seats_find(const struct seats *s, const char *name);
/* "agent", "vnc", "rdp", "ssh". */
const char *seat_protocol_name(enum seat_protocol p);
