/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "ssh": its table, its settings, and what belongs to no command. docs/foreign-hosts.md has the admin's side. */
#include "broker/hypervisor/ssh/ssh_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"

#include <stdlib.h>
#include <string.h>

struct ssh *ssh_of(struct driver *d)
{
	return pst_container_of(d, struct ssh, base);
}

static void ssh_cancel(struct driver *d, const char *desktop)
{
	calls_cancel(&ssh_of(d)->calls, desktop);
}

static void cancel_all(void *arg)
{
	struct ssh *s = arg;

	calls_cancel(&s->calls, NULL);
}

static int ssh_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(ssh_of(d)->watches, desktop, ended, arg, err);
}

static void ssh_close(struct driver *d)
{
	struct ssh *s = d ? ssh_of(d) : NULL;

	if (!s)
		return;
	poller_destroy(s->poller, cancel_all, s);
	watches_destroy(s->watches);
	remote_destroy(s->remote);
	calls_finish(&s->calls);
	lv_addresses_finish(&s->addresses);
	pthread_mutex_destroy(&s->naming);
	for (size_t i = 0; i < SSH_COMMANDS; i++)
		free(s->commands[i]);
	free(s);
}

static int command_read(struct ssh *s, const struct driver_params *p, const struct ssh_set *set, enum ssh_command c, struct pst_err *err)
{
	const char *key = ssh_command_key(c);
	const char *text = pst_conf_str(p->conf, p->section, key, ssh_set_command(set, c));

	/* "none" takes one of the set away. */
	if (!text || strcmp(text, "none") == 0)
		return 0;
	s->commands[c] = template_compile(text, err);
	return s->commands[c] ? 0 : pst_err_wrap(err, "%s", key);
}

static unsigned can_find(const struct ssh *s)
{
	static const struct {
		unsigned can;
		enum ssh_command needs[3];
	} table[] = {
		{ DRIVER_POWER, { SSH_START, SSH_STOP, SSH_STOP } },
		{ DRIVER_SUSPEND, { SSH_START, SSH_STOP, SSH_SUSPEND } },
		{ DRIVER_SNAPSHOT, { SSH_SNAPSHOT, SSH_REVERT, SSH_DROP } },
		{ DRIVER_RESIZE, { SSH_RESIZE, SSH_RESIZE, SSH_RESIZE } },
		{ DRIVER_GROW, { SSH_GROW, SSH_GROW, SSH_GROW } },
	};
	unsigned can = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		const enum ssh_command *n = table[i].needs;

		if (s->commands[n[0]] && s->commands[n[1]] && s->commands[n[2]])
			can |= table[i].can;
	}
	/* A revert stops the machine and starts it. */
	return can & DRIVER_POWER ? can : can & ~(unsigned)DRIVER_SNAPSHOT;
}

static int commands_read(struct ssh *s, const struct driver_params *p, struct pst_err *err)
{
	static const enum ssh_command needed[] = { SSH_CREATE, SSH_DESTROY, SSH_LIST };
	const char *name = pst_conf_str(p->conf, p->section, "commands", NULL);
	const struct ssh_set *set = name ? ssh_set_find(name) : NULL;
	const char *root = pst_conf_str(p->conf, p->section, "root", ssh_set_root(set));

	if (name && !set)
		return pst_err_set(err, PST_EINVAL, "commands: \"%.40s\" must be one of %s; or leave it away and set each", name, ssh_set_names());
	pst_strlcpy(s->set, sizeof(s->set), name ? name : "own");
	for (size_t i = 0; i < SSH_COMMANDS; i++) {
		if (command_read(s, p, set, (enum ssh_command)i, err) < 0)
			return err->code;
	}
	for (size_t i = 0; i < PST_ARRAY_LEN(needed); i++) {
		if (!s->commands[needed[i]])
			return pst_err_set(err, PST_EINVAL, "%s: missing; set it, or take a set of commands (%s)", ssh_command_key(needed[i]), ssh_set_names());
	}
	s->can = can_find(s) | DRIVER_LINKED_CLONE;
	return path_make(s->root, err, "%s", root) < 0 ? err->code :
		pst_conf_bool(p->conf, p->section, "revert_forgets", ssh_set_forgets(set), &s->forgets, err);
}

static int places_read(struct ssh *s, const struct driver_params *p, struct pst_err *err)
{
	const char *records = pst_conf_str(p->conf, p->section, "records", "/var/db/puesto");
	const char *addresses = pst_conf_str(p->conf, p->section, "addresses", NULL);
	char mark[MARK_SIZE];

	if (records[0] != '/' || strchr(p->name, '/'))
		return pst_err_set(err, PST_EINVAL, "records: \"%.100s\" must be an absolute path of the host; and the provider's name has no '/'", records);
	if (mark_read(p->data, mark, err) < 0 || path_make(s->dir, err, "%s/%s-%s", records, mark, p->name) < 0)
		return err->code;
	return addresses ? lv_addresses_init(&s->addresses, addresses, err) : 0;
}

static int ssh_begin(struct ssh *s, const struct driver_params *p, struct pst_err *err)
{
	uint32_t deadline_s, poll_s;

	if (commands_read(s, p, err) < 0 || places_read(s, p, err) < 0 || seed_site_read(&s->seed, p, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "capacity", 1, SSH_MACHINES_MAX, 100, &s->capacity, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 1, 3600, 300, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 15, &poll_s, err) < 0)
		return err->code;
	s->deadline_ms = deadline_s * UINT64_C(1000);
	s->remote = remote_create(p, NULL, err);
	if (!s->remote)
		return err->code;
	s->watches = watches_create(p->loop);
	if (!s->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	s->poller = poller_create(&s->base, s->watches, poll_s * UINT64_C(1000), ssh_list, err);
	return s->poller ? 0 : err->code;
}

static struct driver *ssh_open(const struct driver_params *p, struct pst_err *err)
{
	struct ssh *s = pst_zalloc(1, sizeof(*s));

	if (!s) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	calls_init(&s->calls);
	pthread_mutex_init(&s->naming, NULL);
	if (ssh_begin(s, p, err) < 0) {
		ssh_close(&s->base);
		return NULL;
	}
	return &s->base;
}

extern const struct driver_type driver_ssh;

const struct driver_type driver_ssh = {
	.kind = "ssh",
	.open = ssh_open,
	.create = ssh_create,
	.destroy = ssh_destroy,
	.restart = ssh_restart,
	.list = ssh_list,
	.capacity = ssh_capacity,
	.watch = ssh_watch,
	.close = ssh_close,
	.power = ssh_power,
	.snapshot_take = ssh_snapshot_take,
	.snapshot_revert = ssh_snapshot_revert,
	.snapshot_drop = ssh_snapshot_drop,
	.resize = ssh_resize,
	.cancel = ssh_cancel,
};
