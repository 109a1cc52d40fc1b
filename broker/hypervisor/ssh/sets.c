/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shipped sets. Each command can be repeated where that costs nothing: "destroy" of what is half there, "stop" of
 * what is stopped. A "list" whose tool fails fails: of a pipe the shell knows only the last part's end.
 */
#include "broker/hypervisor/ssh/sets.h"

#include "base/mem.h"

#include <stddef.h>
#include <string.h>

struct ssh_set {
	const char *name, *root;
	int forgets;
	const char *commands[SSH_COMMANDS];
};

static const char *const keys[SSH_COMMANDS] = {
	"create", "destroy", "list", "seed", "start", "stop", "off", "suspend", "resume", "snapshot", "revert", "drop", "resize", "grow", "health",
};

#define JAIL_START \
	"jail -c name={name} path=\"$(zfs get -H -o value mountpoint {root}/{name})\" host.hostname={hostname} " \
	"${pst_address:+ip4.addr=\"$pst_address\"} mount.devfs persist exec.clean exec.start=\"/bin/sh /etc/rc\" exec.stop=\"/bin/sh /etc/rc.shutdown\""

static const struct ssh_set sets[] = {
	/* FreeBSD 13 and later: jail(8), jls(8), zfs(8). An image is a snapshot of a data set, ref:zroot/images/desk@1. */
	{ "jail", "zroot/jails", 1, {
		[SSH_CREATE] = "zfs clone -o quota=\"$([ {disk_mb} = 0 ] && echo none || echo {disk_mb}M)\" {image} {root}/{name}",
		[SSH_SEED] = "d=\"$(zfs get -H -o value mountpoint {root}/{name})\"/var/lib/puesto && mkdir -p \"$d\" && umask 077 && cat >\"$d\"/seed.json",
		[SSH_START] = JAIL_START,
		[SSH_STOP] = "jls -j {name} >/dev/null 2>&1 || exit 0; jail -r {name}",
		[SSH_DESTROY] = "if jls -j {name} >/dev/null 2>&1; then jail -R {name} || jail -r {name}; fi; zfs destroy -r {root}/{name}",
		[SSH_LIST] = "up=$(jls name) && all=$(zfs list -H -o name -d 1 -r {root}) || exit 1; up=\" $(echo $up) \"; "
			"printf '%s\\n' \"$all\" | while read -r d; do n=\"${d##*/}\"; case \"$up\" in *\" $n \"*) echo \"$n running\";; *) echo \"$n stopped\";; esac; done",
		[SSH_SNAPSHOT] = "zfs snapshot {root}/{name}@{snapshot}",
		[SSH_REVERT] = "zfs rollback -r {root}/{name}@{snapshot}",
		[SSH_DROP] = "zfs destroy {root}/{name}@{snapshot}",
		[SSH_GROW] = "zfs set quota={disk_mb}M {root}/{name}",
	} },
	/* illumos and Solaris: zonecfg(8), zoneadm(8). An image is an installed zone that never runs, ref:desk. */
	{ "zones", "/zones", 0, {
		[SSH_CREATE] = "zonecfg -z {name} \"create -t {image}; set zonepath={root}/{name}; set autoboot=false\" && zoneadm -z {name} clone {image}",
		[SSH_SEED] = "d={root}/{name}/root; d=\"$d\"/var/lib/puesto; mkdir -p \"$d\" && umask 077 && cat >\"$d\"/seed.json",
		[SSH_START] = "zoneadm -z {name} boot",
		[SSH_STOP] = "zoneadm -z {name} shutdown",
		[SSH_OFF] = "zoneadm -z {name} halt",
		[SSH_DESTROY] = "zoneadm -z {name} halt 2>/dev/null; zoneadm -z {name} uninstall -F; zonecfg -z {name} delete -F",
		[SSH_LIST] = "all=$(zoneadm list -cp) || exit 1; printf '%s\\n' \"$all\" | awk -F: '$2 != \"global\" { print $2, $3 }'",
	} },
	/* OpenVZ: vzctl(8), vzlist(8), with ploop disks. An image is an OS template, ref:debian-12-x86_64. */
	{ "vzctl", "/vz", 0, {
		[SSH_CREATE] = "vzctl create {number} --ostemplate {image} --hostname {hostname} --name {name} ${pst_address:+--ipadd \"$pst_address\"} && "
			"vzctl set {number} --save --ram {memory_mb}M --swap 0 --cpulimit {cpu_percent} --onboot no",
		[SSH_SEED] = "vzctl mount {number} && d={root}/root/{number}/var/lib/puesto && mkdir -p \"$d\" && (umask 077; cat >\"$d\"/seed.json); r=$?; "
			"vzctl umount {number}; exit $r",
		[SSH_START] = "vzctl start {number}",
		[SSH_STOP] = "vzctl stop {number}",
		[SSH_OFF] = "vzctl stop {number} --fast",
		[SSH_SUSPEND] = "vzctl suspend {number}",
		[SSH_RESUME] = "vzctl resume {number}",
		[SSH_DESTROY] = "vzctl stop {number} --fast; vzctl destroy {number}",
		[SSH_LIST] = "vzlist -a -H -o name,status,ip",
		[SSH_SNAPSHOT] = "vzctl snapshot {number} --id {snapshot_uuid} --name {snapshot} --skip-suspend",
		[SSH_REVERT] = "vzctl snapshot-switch {number} --id {snapshot_uuid}",
		[SSH_DROP] = "vzctl snapshot-delete {number} --id {snapshot_uuid}",
		[SSH_RESIZE] = "vzctl set {number} --save --ram {memory_mb}M --cpulimit {cpu_percent}",
		[SSH_GROW] = "vzctl set {number} --save --diskspace {disk_mb}M",
	} },
	/* Virtuozzo: prlctl(8). An image is a template, ref:desk, of a container or a virtual machine. */
	{ "prlctl", "/vz", 0, {
		[SSH_CREATE] = "prlctl clone {image} --name {name} && prlctl set {name} --memsize {memory_mb} --cpulimit {cpu_percent}% --autostart off",
		[SSH_START] = "prlctl start {name}",
		[SSH_STOP] = "prlctl stop {name}",
		[SSH_OFF] = "prlctl stop {name} --kill",
		[SSH_SUSPEND] = "prlctl suspend {name}",
		[SSH_RESUME] = "prlctl resume {name}",
		[SSH_DESTROY] = "prlctl stop {name} --kill; prlctl delete {name}",
		[SSH_LIST] = "prlctl list -a -H -o name,status,ip",
		[SSH_RESIZE] = "prlctl set {name} --memsize {memory_mb} --cpulimit {cpu_percent}%",
	} },
	/* LXC of another host: lxc-copy(1) and its neighbours. An image is a container that never runs, ref:desk. */
	{ "lxc", "/var/lib/lxc", 0, {
		[SSH_CREATE] = "lxc-copy -P {root} -p {root} -n {image} -N {name} -s -B overlay",
		[SSH_SEED] = "d={root}/{name}/overlay/delta/var/lib/puesto; mkdir -p \"$d\" && umask 077 && cat >\"$d\"/seed.json",
		[SSH_START] = "lxc-start -P {root} -n {name} -d -s lxc.uts.name={hostname} -s lxc.cgroup2.memory.max={memory_mb}M",
		[SSH_STOP] = "lxc-stop -P {root} -n {name} -t 60 || [ $? = 2 ]",
		[SSH_OFF] = "lxc-stop -P {root} -n {name} -k || [ $? = 2 ]",
		[SSH_DESTROY] = "lxc-destroy -P {root} -n {name} -f -s",
		[SSH_LIST] = "all=$(lxc-ls -P {root} -f -F NAME,STATE,IPV4) || exit 1; printf '%s\\n' \"$all\" | tail -n +2",
	} },
};

const char *ssh_command_key(enum ssh_command c)
{
	return keys[c];
}

const struct ssh_set *ssh_set_find(const char *name)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(sets); i++) {
		if (strcmp(sets[i].name, name) == 0)
			return &sets[i];
	}
	return NULL;
}

const char *ssh_set_names(void)
{
	return "jail, zones, vzctl, prlctl, lxc";
}

const char *ssh_set_command(const struct ssh_set *s, enum ssh_command c)
{
	return s ? s->commands[c] : NULL;
}

const char *ssh_set_root(const struct ssh_set *s)
{
	return s ? s->root : "";
}

int ssh_set_forgets(const struct ssh_set *s)
{
	return s ? s->forgets : 0;
}
