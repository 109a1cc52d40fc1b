/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop in an engine's words: what is asked of it, and what its lists say. Pure. Everything that a
 * desktop needs to be found again is at the engine: labels, which a container keeps for its life, and the
 * name, which says what was meant last:
 *
 *	puesto-DESKTOP.TASK      it is to run; TASK is its last create or restart
 *	puesto-DESKTOP.TASK.off  it was switched off
 *	puesto-DESKTOP.next      a fresh one that has not taken the old one's place yet
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/machine.h"

#include <jansson.h>

#define SPEC_NAME_SIZE 96
#define SPEC_ID_SIZE 65
#define SPEC_IMAGE_MAX 255
#define SPEC_LIST_MAX 4096

/* What holds for all desktops of a provider. Borrowed strings. */
struct spec_site {
	const char *instance; /* 16 hexadecimal digits: which installation and provider */
	const char *network;  /* the engine's name of it, for desktops that may have one */
	const char *libexec;  /* directory with our programs, shown read-only */
	const char *agents;   /* directory with the broker's agent.sock, shown read-only */
	uid_t gateway_uid;
};

enum spec_phase {
	SPEC_RUNNING,
	SPEC_PAUSED,
	SPEC_MADE,  /* never started */
	SPEC_ENDED,
};

/* One container of ours in a list. */
struct spec_view {
	char id[SPEC_ID_SIZE];
	char desktop[PST_UUID_SIZE];
	char task[PST_UUID_SIZE];
	char image[2 * MACHINE_NAME_SIZE];
	uid_t uid;
	enum spec_phase phase;
	bool off, next;
};

/* The names above. task may be NULL for ".next". */
void spec_name(char out[SPEC_NAME_SIZE], const char *desktop, const char *task, bool off);

/* The body of a create call. run is the desktop's directory on this host. Returns owned; NULL on no memory. */
json_t *spec_create(const struct spec_site *site, const struct machine_request *r, uid_t uid, const char *image, const char *run);

/* {"label": ["org.puesto.instance=…"]} as a query's value, escaped; more may add one label (NULL: none). */
int spec_filter(char *out, size_t size, const char *instance, const char *desktop);

/* One element of GET /containers/json. False when it is not ours, whatever it claims. */
bool spec_view(const json_t *item, const char *instance, struct spec_view *ret);

/* The last request, as the labels keep it (element of a list or an inspected container's "Config"). */
int spec_request(const json_t *labels, struct machine_request *ret, struct pst_err *err);

/* "ref:NAME" without the "ref:"; PST_EUNSUPPORTED for any other base. */
int spec_image(const struct machine_request *r, const char **ret, struct pst_err *err);

/*
 * Why an inspected container has ended, in words; tail is the end of its log. A container that was started
 * before its machine last booted (booted_ms, 0: not known) has not failed: true then.
 */
bool spec_ended(const json_t *inspected, int64_t booted_ms, const char *tail, char out[MACHINE_REASON_SIZE]);

/*
 * The text of a log call's answer: frames of 8 bytes of head and their content (Docker Engine API,
 * ContainerAttach, "Stream format"), as one line of printable characters, the end of it.
 */
void spec_log_text(const char *data, size_t len, char *out, size_t size);
