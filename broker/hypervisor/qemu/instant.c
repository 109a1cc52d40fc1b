/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A migration into a file and out of it, and the words on the seed's port. */
#include "broker/hypervisor/qemu/instant.h"

#include "base/json.h"
#include "base/secret.h"
#include "broker/hypervisor/port.h"
#include "broker/hypervisor/qemu/line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_NAME "puesto-state"
#define BANDWIDTH INT64_C(1000000000000) /* of a file: no reason to go slowly */

/* is_bare: without the memory, which both sides have by its file. With events, so that nobody has to poll. */
static int capabilities_set(struct qmp *q, bool is_bare, uint64_t deadline_ms, struct pst_err *err)
{
	json_t *list = json_pack("{s:[{s:s, s:b}, {s:s, s:b}]}", "capabilities", "capability",
		"x-ignore-shared", "state", is_bare, "capability", "events", "state", 1);

	return qmp_call(q, "migrate-set-capabilities", list, NULL, deadline_ms, err);
}

static int migration_status(struct qmp *q, bool *ret_is_done, uint64_t deadline_ms, struct pst_err *err)
{
	json_t *answer = NULL;
	int rc = qmp_call(q, "query-migrate", NULL, &answer, deadline_ms, err);
	if (rc < 0)
		return rc;

	const char *status = pst_json_str(answer, "status", 32),
		   *why = pst_json_str(answer, "error-desc", 400);
	if (status && (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0))
		rc = pst_err_set(
			err, PST_EIO, "QEMU could not carry the machine's state: %s", why ? why : status);
	*ret_is_done = status && strcmp(status, "completed") == 0;
	json_decref(answer);
	return rc;
}

static int migration_wait(struct qmp *q, uint64_t deadline_ms, struct pst_err *err)
{
	bool is_done = false;
	int rc = migration_status(q, &is_done, deadline_ms, err);

	while (rc == 0 && !is_done) {
		rc = qmp_wait(q, "MIGRATION", deadline_ms, err);
		if (rc == 0)
			rc = migration_status(q, &is_done, deadline_ms, err);
	}
	return rc;
}

static int state_begin(struct qmp *q, const char *command, int state, bool is_bare, uint64_t deadline_ms,
	struct pst_err *err)
{
	int rc = capabilities_set(q, is_bare, deadline_ms, err);

	if (rc == 0)
		rc = qmp_call(q, "migrate-set-parameters",
			json_pack("{s:I}", "max-bandwidth", (json_int_t)BANDWIDTH), NULL, deadline_ms, err);
	if (rc == 0)
		rc = qmp_lend(q, FD_NAME, state, deadline_ms, err);
	return rc < 0 ? rc
		      : qmp_call(
				q, command, json_pack("{s:s}", "uri", "fd:" FD_NAME), NULL, deadline_ms, err);
}

static int state_save(struct qmp *q, int state, bool is_bare, uint64_t deadline_ms, struct pst_err *err)
{
	int rc = qmp_call(q, "stop", NULL, NULL, deadline_ms, err);

	if (rc == 0)
		rc = state_begin(q, "migrate", state, is_bare, deadline_ms, err);
	return rc < 0 ? rc : migration_wait(q, deadline_ms, err);
}

int instant_save(struct qmp *q, int state, uint64_t deadline_ms, struct pst_err *err)
{
	return state_save(q, state, true, deadline_ms, err);
}

/* Is a state on its way, in or out? */
static int migration_busy(struct qmp *q, bool *ret_is_busy, uint64_t deadline_ms, struct pst_err *err)
{
	static const char *const words[] = { "setup", "active", "device", "pre-switchover", "cancelling" };
	json_t *answer = NULL;
	int rc = qmp_call(q, "query-migrate", NULL, &answer, deadline_ms, err);
	const char *status = rc < 0 ? NULL : pst_json_str(answer, "status", 32);

	*ret_is_busy = false;
	for (size_t i = 0; status && i < sizeof(words) / sizeof(words[0]); i++)
		*ret_is_busy = *ret_is_busy || strcmp(status, words[i]) == 0;
	json_decref(answer);
	return rc;
}

int instant_settle(struct qmp *q, uint64_t deadline_ms, struct pst_err *err)
{
	bool is_busy = false;
	int rc = migration_busy(q, &is_busy, deadline_ms, err);

	if (rc == 0 && is_busy)
		rc = qmp_call(q, "migrate_cancel", NULL, NULL, deadline_ms, err);
	while (rc == 0 && is_busy) {
		rc = migration_busy(q, &is_busy, deadline_ms, err);
		if (rc == 0 && is_busy)
			rc = qmp_wait(q, "MIGRATION", deadline_ms, err);
	}
	return rc < 0 ? rc : qmp_call(q, "cont", NULL, NULL, deadline_ms, err);
}

int instant_suspend(struct qmp *q, int memory, uint64_t deadline_ms, struct pst_err *err)
{
	int rc = instant_settle(q, deadline_ms, err);

	return rc < 0 ? rc : state_save(q, memory, false, deadline_ms, err);
}

int instant_load(struct qmp *q, int memory, uint64_t deadline_ms, struct pst_err *err)
{
	int rc = state_begin(q, "migrate-incoming", memory, false, deadline_ms, err);

	return rc < 0 ? rc : migration_wait(q, deadline_ms, err);
}

int instant_whole(struct qmp *q, uint64_t deadline_ms, struct pst_err *err)
{
	return capabilities_set(q, false, deadline_ms, err);
}

static int card_plug(
	struct qmp *q, const struct instant_card *card, uint64_t deadline_ms, struct pst_err *err)
{
	json_t *netdev = json_copy((json_t *)(uintptr_t)card->netdev);

	if (!netdev || json_object_set_new(netdev, "id", json_string("net0")) < 0) {
		json_decref(netdev);
		return pst_err_set(err, PST_ENOMEM, "no memory for a network card");
	}
	int rc = qmp_call(q, "netdev_add", netdev, NULL, deadline_ms, err);
	if (rc < 0)
		return rc;
	json_t *device = json_pack("{s:s, s:s, s:s, s:s, s:s}", "driver", "virtio-net-pci", "id", "card0",
		"netdev", "net0", "bus", card->bus, "mac", card->mac);
	return qmp_call(q, "device_add", device, NULL, deadline_ms, err);
}

/* The state is shared by all children, whose QEMUs may read it at the same time: each reads by a descriptor
 * of its own file position. */
int instant_resume(
	struct qmp *q, int state, const struct instant_card *card, uint64_t deadline_ms, struct pst_err *err)
{
	int rc = state_begin(q, "migrate-incoming", state, true, deadline_ms, err);

	if (rc == 0)
		rc = migration_wait(q, deadline_ms, err);
	if (rc == 0 && card)
		rc = card_plug(q, card, deadline_ms, err);
	return rc < 0 ? rc : qmp_call(q, "cont", NULL, NULL, deadline_ms, err);
}

/* Reads until the machine says word; "refused" is an error with its reason. */
static int port_await(struct line_conn *c, const char *word, uint64_t deadline_ms, struct pst_err *err)
{
	bool is_it = false;

	while (!is_it) {
		char *text;
		size_t len;
		int rc = line_receive(c, deadline_ms, &text, &len, err);

		if (rc < 0)
			return rc;
		rc = port_hear(text, len, word, &is_it, err);
		free(text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int instant_await_parent(const char *path, uint64_t deadline_ms, struct pst_err *err)
{
	struct line_conn c;
	int rc = line_open(&c, path, PORT_LINE_MAX, err);

	if (rc == 0)
		rc = port_await(&c, "waiting", deadline_ms, err);
	line_close(&c);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}

int instant_seed(const char *path, const json_t *seed, uint64_t deadline_ms, struct pst_err *err)
{
	char *text = json_dumps(seed, JSON_COMPACT);
	struct line_conn c;

	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	int rc = line_open(&c, path, PORT_LINE_MAX, err);
	if (rc == 0)
		rc = line_send(&c, text, strlen(text), -1, deadline_ms, err);
	if (rc == 0)
		rc = line_send(&c, "\n", 1, -1, deadline_ms, err);
	if (rc == 0)
		rc = port_await(&c, "applied", deadline_ms, err);
	line_close(&c);
	pst_wipe(text, strlen(text)); /* the token is in it */
	free(text);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}
