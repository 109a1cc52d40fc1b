/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saves and resumes real machines by broker/hypervisor/qemu, for test_instant_clone.py, which starts their QEMUs. */
#include "broker/hypervisor/qemu/instant.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/unixsock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS 120000

static int save(char **argv, uint64_t deadline_ms, struct pst_err *err)
{
	if (instant_await_parent(argv[3], deadline_ms, err) < 0)
		return err->code;
	struct qmp *q = qmp_open(argv[2], deadline_ms, err);
	int state = open(argv[4], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = q && state >= 0 ? instant_save(q, state, deadline_ms, err) : -1;
	if (rc == 0)
		rc = qmp_quit(q, deadline_ms, err);
	pst_fd_close(&state);
	qmp_close(q);
	return rc;
}

static int resume(char **argv, uint64_t deadline_ms, struct pst_err *err)
{
	json_t *seed = json_load_file(argv[5], 0, NULL), *netdev = json_loads(argv[6], 0, NULL);
	const struct instant_card card = { .bus = "plug0", .mac = argv[7], .netdev = netdev };
	struct qmp *q = qmp_open(argv[2], deadline_ms, err);
	int state = open(argv[4], O_RDONLY | O_CLOEXEC);
	int rc = q && seed && netdev && state >= 0 ? instant_resume(q, state, &card, deadline_ms, err) : -1;

	if (rc == 0)
		rc = instant_seed(argv[3], seed, deadline_ms, err);
	pst_fd_close(&state);
	qmp_close(q);
	json_decref(seed);
	json_decref(netdev);
	return rc;
}

int main(int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	const uint64_t deadline_ms = pst_mono_ms() + DEADLINE_MS;
	int rc;

	if (argc == 5 && strcmp(argv[1], "save") == 0)
		rc = save(argv, deadline_ms, &err);
	else if (argc == 8 && strcmp(argv[1], "resume") == 0)
		rc = resume(argv, deadline_ms, &err);
	else
		rc = pst_err_set(&err, PST_EINVAL, "usage: instant_clone save QMP PORT STATE | resume QMP PORT STATE SEED NETDEV MAC");
	if (rc < 0)
		fprintf(stderr, "instant_clone: %s\n", err.text);
	return rc < 0;
}
