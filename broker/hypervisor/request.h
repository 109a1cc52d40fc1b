/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine request to and from JSON: the broker's message and the record on disk. */
#pragma once

#include "broker/hypervisor/driver.h"

#include <jansson.h>

#define REQUEST_MEMORY_MAX_MB (1 << 20)
#define REQUEST_DISK_MAX_MB (1 << 26)
#define REQUEST_WIDTH_MAX 8192
#define REQUEST_HEIGHT_MAX 8192

/* {"task","desktop","image":{…},"spec":{…},"enrol_token","hostname"}: everything checked. */
int request_parse(const json_t *msg, struct machine_request *ret, struct pst_err *err);

/* As above for "restart", where image, spec, token and host name may be missing ("" or 0). */
int request_parse_restart(const json_t *msg, struct machine_request *ret, struct pst_err *err);

/* Without the token, which is for the desktop only. Returns owned; NULL on no memory. */
json_t *request_json(const struct machine_request *r);

/* Is it to reach anything but itself? */
bool request_has_network(const struct machine_request *r);

/* Is it shown by an RDP server of its own, and not by our agent's display link? */
bool request_speaks_rdp(const struct machine_request *r);

/* Fills what r leaves open from old. */
void request_merge(struct machine_request *r, const struct machine_request *old);

/*
 * What process 1 of a desktop is told, wherever it is made (desktop/launch.h reads it). gateway_uid is
 * whom the agent lets in. Returns owned; NULL on no memory.
 */
json_t *request_launch(const struct machine_request *r, uid_t uid, uid_t gateway_uid);
