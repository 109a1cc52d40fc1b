/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-lxc: one call of liblxc in a process of its own, which the driver can end when it takes too long.
 *
 *	puesto-lxc start DIR   the container whose config lies in DIR; writes DIR/pid
 *	puesto-lxc stop DIR    nothing of it runs afterwards; also when it did not
 *
 * What goes wrong is said on stderr, in one line.
 */
#include "base/mem.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"

#include <limits.h>
#include <lxc/lxccontainer.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *what, const struct lxc_container *c)
{
	fprintf(stderr, "%s: %s\n", what, c && c->error_string ? c->error_string : "see lxc.log beside it");
	return 1;
}

/* Whoever could not be found again does not run. */
static int pid_write(struct lxc_container *c, const char *dir, struct pst_err *err)
{
	struct process_id id;
	char path[PATH_MAX];

	if (path_make(path, err, "%s/pid", dir) < 0 || process_identify(c->init_pid(c), &id, err) < 0)
		return err->code;
	return process_save(&id, path, err);
}

static int start(struct lxc_container *c, const char *dir)
{
	struct pst_err err = PST_ERR_INIT;

	if (c->is_running(c))
		return fail("it runs already", NULL);
	c->want_daemonize(c, true);
	c->want_close_all_fds(c, true);
	if (!c->start(c, 0, NULL))
		return fail("LXC cannot start it", c);
	if (pid_write(c, dir, &err) == 0)
		return 0;
	c->stop(c);
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

static int stop(struct lxc_container *c, const char *dir)
{
	(void)dir;
	if (c->is_running(c) && !c->stop(c) && c->is_running(c))
		return fail("LXC cannot stop it", c);
	return 0;
}

static const struct {
	const char *word;
	int (*run)(struct lxc_container *c, const char *dir);
} acts[] = { { "start", start }, { "stop", stop } };

/* DIR is LXC's path and the container's name. */
static struct lxc_container *container_open(char *dir)
{
	char *name = strrchr(dir, '/');
	struct lxc_container *c;

	if (!name || name == dir || !name[1])
		return NULL;
	*name = '\0';
	c = lxc_container_new(name + 1, dir);
	*name = '/';
	return c;
}

int main(int argc, char **argv)
{
	struct lxc_container *c;
	int rc = 2;

	umask(022);
	for (size_t i = 0; argc == 3 && i < PST_ARRAY_LEN(acts); i++) {
		if (strcmp(acts[i].word, argv[1]) != 0)
			continue;
		c = container_open(argv[2]);
		if (!c)
			return fail("LXC cannot read its configuration", NULL);
		rc = acts[i].run(c, argv[2]);
		lxc_container_put(c);
	}
	if (rc == 2)
		fprintf(stderr, "usage: puesto-lxc start|stop DIR\nStarted by puesto-provisioner; see puesto-provisioner(8).\n");
	return rc;
}
