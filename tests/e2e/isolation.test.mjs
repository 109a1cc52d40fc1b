// SPDX-License-Identifier: GPL-3.0-or-later
/** From inside one desktop nothing of another can be reached: a script in its own terminal tries, with all the confinement that a user has. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { openDesktop, openTerminal, typeLine } from './browser.mjs';
import { desktopFile, desktopPath, desktopPid, hostPids } from './desktop.mjs';
import { Caller, DATA, desktopOf, someUser, until } from './installation.mjs';

const admin = await Caller.login('admin');
await someUser(admin, 'ana');
const [his, hers] = await Promise.all(['demo', 'ana'].map((user) => openDesktop(user)));
const mine = await desktopOf(admin, 'demo'), other = await desktopOf(admin, 'ana');
after(() => Promise.all([his.context.close(), hers.context.close()]));

/** The uid of everything in a desktop. */
const uidOf = (id) => statSync(`/proc/${hostPids(id, 'openbox')[0]}`).uid;

/** Each try prints its name when it gets through. */
const PROBE = `#!/bin/bash
exec 2>/dev/null
got() { echo "REACHED $1"; }
ls ${DATA} | grep -q . && got "the data directory"
cat ${DATA}/credentials && got "the credentials"
for dir in ${DATA}/desktops ${DATA}/db ${DATA}/run ${DATA}/desktops/${other} ${DATA}/desktops/${other}/upper; do ls "$dir" && got "$dir"; done
grep -rqs 'SECRET-OF'-THE-OTHER /home /tmp /var/tmp /run /dev/shm /mnt /media && got "a file of the other"
for p in /proc/[0-9]*; do
  grep -qs ${other} $p/cmdline && got "a process of the other in $p"
  tr '\\0' '\\n' < $p/cmdline | grep -q puesto-gateway && got "the gateway's process"
done
kill -0 OTHERPID && got "a process of the other by its host pid"
for d in 0 1 2 3 4 5 6 7 8 9 10 OTHERUID; do DISPLAY=:$d timeout 2 xdpyinfo >/dev/null && got "the X display :$d"; done
ls /tmp/.X11-unix | grep -vx X$(id -u) && got "another X socket"
python3 - <<'PY'
import socket
names = set()
try:
    for line in open('/proc/net/unix'):
        name = line.split()[-1]
        if name.startswith('@'):
            names.add(name[1:])
except OSError:
    pass
names |= {'/tmp/.X11-unix/X0', '/tmp/.X11-unix/XOTHERUID'}
for name in sorted(names):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(1)
    try:
        s.connect('\\0' + name)
        print('SOCKET', name)
    except OSError:
        pass
PY
for tool in "mount -t tmpfs none /mnt" "unshare -rm true" "nsenter -t 1 -m true" "chroot / true" "dmesg"; do $tool >/dev/null && got "$tool"; done
cat /etc/shadow >/dev/null && got "the password file"
echo x >/sys/kernel/uevent_helper && got "the kernel's settings"
for s in gateway broker provisioner; do python3 -c "import socket; s=socket.socket(socket.AF_UNIX); s.connect('${DATA}/run/$s.sock')" && got "the socket of $s"; done
echo TRIED
`;

test('files, processes, displays and sockets of the other stay out of reach', async () => {
	writeFileSync(desktopPath(other, '/home/user/secret'), 'SECRET-OF-THE-OTHER');
	writeFileSync(desktopPath(other, '/tmp/secret'), 'SECRET-OF-THE-OTHER');
	writeFileSync(desktopPath(mine, '/home/user/probe'), PROBE.replaceAll('OTHERPID', String(desktopPid(other))).replaceAll('OTHERUID', String(uidOf(other))), { mode: 0o755 });
	await openTerminal(his.page, mine);
	await typeLine(his.page, 'bash ./probe > reached');
	const told = await until('the script has tried everything', () => {
		try { const text = desktopFile(mine, '/home/user/reached').toString(); return text.includes('TRIED') && text; } catch { return ''; }
	}, 60);
	const listening = execFileSync('ss', ['-xlpH']).toString();
	/* A socket without Puesto's or another desktop's process behind it belongs to the machine (network "host" shares its loopback). */
	const theirs = [desktopPid(other), ...['Xvfb', 'dbus-daemon', 'puesto-agent'].flatMap((name) => hostPids(other, name))];
	const sockets = [...told.matchAll(/^SOCKET (.+)$/gm)].map((m) => m[1]).filter((name) => listening.split('\n').some((l) => l.includes(`@${name} `) && theirs.some((pid) => l.includes(`pid=${pid},`))));
	assert.deepEqual(sockets, []);
	assert.deepEqual([...told.matchAll(/^REACHED (.+)$/gm)].map((m) => m[1]), []);
});

test('a desktop\'s display link and the broker\'s sockets do not answer to a desktop\'s uid', () => {
	for (const path of [`${DATA}/run/gateway.sock`, `${DATA}/run/provisioner.sock`, desktopPath(other, '/run/puesto/display.sock')]) {
		const code = `import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect(${JSON.stringify(path)}); s.send(b'x' * 64); print(len(s.recv(64)))`;
		let answer = '';
		try {
			answer = execFileSync('setpriv', [`--reuid=${uidOf(mine)}`, '--clear-groups', 'python3', '-c', code], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10000 }).toString().trim();
		} catch { /* refused */ }
		assert.ok(answer === '' || answer === '0', `${path} answered ${answer} bytes`);
	}
});
