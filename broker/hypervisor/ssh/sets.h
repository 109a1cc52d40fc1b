/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands for hosts that many people have, so that a provider's section need not spell them out. Pure. */
#pragma once

enum ssh_command {
	SSH_CREATE, SSH_DESTROY, SSH_LIST, SSH_SEED, SSH_START, SSH_STOP, SSH_OFF, SSH_SUSPEND, SSH_RESUME,
	SSH_SNAPSHOT, SSH_REVERT, SSH_DROP, SSH_RESIZE, SSH_GROW, SSH_HEALTH,
	SSH_COMMANDS,
};

/* The key of a section that sets it. */
const char *ssh_command_key(enum ssh_command c);

struct ssh_set;

/* "jail", "zones", "vzctl", "prlctl", "lxc"; NULL for another word. */
const struct ssh_set *ssh_set_find(const char *name);
/* "jail, zones, …", for messages. */
const char *ssh_set_names(void);
/* NULL where the set has none. */
const char *ssh_set_command(const struct ssh_set *s, enum ssh_command c);
/* Of the host: what {root} stands for unless the section says otherwise. */
const char *ssh_set_root(const struct ssh_set *s);
/* Is what was taken after a snapshot gone once it is reverted to? */
int ssh_set_forgets(const struct ssh_set *s);
