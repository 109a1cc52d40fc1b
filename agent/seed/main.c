/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-seed: gives a machine its name and enrolment, once. See puesto-seed(8). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/seed/apply.h"
#include "agent/seed/find.h"
#include "agent/seed/port.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/secret.h"

static const struct pst_daemon_options options = {
	.program = "puesto-seed",
	.summary = "Applies the seed that this machine was given: names, keys, enrolment.",
};

struct program {
	struct pst_conf *conf;
	struct seed_target target;
	const char *port;
	bool may_wait;
};

static int settings_read(struct program *m, struct pst_err *err)
{
	const char *user = pst_conf_str(m->conf, "seed", "user", "user");

	m->target.root = pst_conf_str(m->conf, "seed", "root", "");
	m->port = pst_conf_str(m->conf, "seed", "port", SEED_PORT);
	if (pst_conf_bool(m->conf, "seed", "wait", false, &m->may_wait, err) < 0 ||
		pst_user_find(user, &m->target.uid, &m->target.gid, err) < 0)
		return err->code;
	return pst_conf_check_unused(m->conf, err);
}

/* Takes text. */
static int use(struct program *m, char *text, size_t len, const char *where, struct pst_err *err)
{
	struct seed s;
	int rc = seed_parse(text, len, &s, err);

	pst_wipe(text, len);
	free(text);
	if (rc == 0 && seed_is_used(&m->target, &s)) {
		pst_info("the seed of %s was applied before", where);
	} else if (rc == 0) {
		rc = seed_apply(&m->target, &s, err);
		if (rc == 0)
			pst_info("seeded by %s as %s desktop=%s", where, s.hostname, s.desktop);
	}
	seed_finish(&s);
	return rc;
}

/* A seed that is refused is told to whoever sent it, and the next one is waited for. */
static int wait_and_use(struct program *m, struct pst_err *err)
{
	char *text;
	size_t len;
	int fd = port_open(m->target.root, m->port, err), rc = fd;

	while (fd >= 0) {
		struct pst_err why = PST_ERR_INIT;

		rc = port_wait(fd, SEED_MAX, &text, &len, &why);
		if (rc == 0)
			rc = use(m, text, len, "the port", &why);
		if (rc == PST_EIO) {
			pst_err_pass(err, rc, &why);
			break;
		}
		port_answer(fd, rc < 0 ? why.text : NULL);
		if (rc == 0)
			break;
		pst_warn("%s", why.text);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static int run(struct program *m, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	const char *where;
	char *text;
	size_t len;
	int rc = settings_read(m, err);
	if (rc < 0)
		return rc;

	rc = seed_find(m->target.root, &text, &len, &where, &why);
	if (rc == 0) {
		rc = use(m, text, len, where, err);
		if (rc == 0)
			seed_forget(m->target.root, where);
		return rc;
	}
	if (rc == PST_ENOTFOUND && m->may_wait && !seed_was_any(&m->target))
		return wait_and_use(m, err);
	if (rc != PST_ENOTFOUND)
		return pst_err_pass(err, rc, &why);
	pst_info("%s", why.text);
	return 0;
}

int main(int argc, char **argv)
{
	struct program m = { 0 };
	struct pst_err err = PST_ERR_INIT;
	int rc = pst_daemon_parse(argc, argv, &options, &m.conf, NULL, &err);

	if (rc == 1)
		return EXIT_SUCCESS;
	if (rc == 0)
		rc = run(&m, &err);
	pst_conf_destroy(m.conf);
	if (rc < 0)
		fprintf(stderr, "puesto-seed: %s\n", err.text);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
