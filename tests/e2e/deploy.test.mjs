// SPDX-License-Identifier: GPL-3.0-or-later
/** deploy/up and deploy/down: two installations side by side, and errors that say what to do and leave nothing behind. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { after, test } from 'node:test';
import { desktopPid } from './desktop.mjs';
import { Caller, DATA, PORTS, until } from './installation.mjs';

const SOURCE = process.env.PUESTO_SOURCE;
const base = mkdtempSync('/var/tmp/puesto-e2e-more-');
chmodSync(base, 0o755); /* the services' own accounts have to come through */
const second = `${base}/second`;
const SECOND = { https: PORTS.https + 6000, rdp: PORTS.rdp + 6000, vnc: PORTS.vnc + 6000 };
const admin = await Caller.login('admin');

after(() => {
	if (existsSync(second))
		spawnSync(`${SOURCE}/deploy/down`, ['--data', second, '--purge']);
	rmSync(base, { recursive: true, force: true });
});

/** Runs deploy/up and returns its status and its words. @param {string[]} args */
function up(args, env = {}) {
	const { status, stdout, stderr } = spawnSync(`${SOURCE}/deploy/up`, args, { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 150000 });
	return { status, text: `${stdout}${stderr}`, stderr };
}

const ports = (p) => ['--https', String(p.https), '--rdp', String(p.rdp), '--vnc', String(p.vnc)];
const free = { https: PORTS.https + 7000, rdp: PORTS.rdp + 7000, vnc: PORTS.vnc + 7000 };

/** Processes whose command line names this folder. */
const processesOf = (dir) => readdirSync('/proc').filter((p) => /^\d+$/.test(p) && p !== String(process.pid)).filter((p) => {
	try { return readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(`${dir}/`); } catch { return false; }
});

function refuses(what, args, words, { env = {}, dir = `${base}/none` } = {}) {
	test(`deploy/up refuses ${what}, in words, and leaves nothing`, () => {
		const { status, text, stderr } = up([...args, ...(args.includes('--data') ? [] : ['--data', dir])], env);
		assert.equal(status, 1, text);
		for (const word of words)
			assert.match(stderr, word);
		assert.ok(!existsSync(dir), `${dir} is there`);
		assert.deepEqual(processesOf(dir), []);
	});
}

refuses('an unknown option', ['--prot', '1'], [/unknown option --prot/, /--help/]);
refuses('an option without its value', ['--data', `${base}/none`, '--https'], [/--https needs a value/]);
refuses('a port that is none', ['--https', '70000'], [/"70000" is not a port number/]);
refuses('the same port twice', ['--https', '31000', '--rdp', '31000'], [/must differ/]);
refuses('a port that is taken', ['--no-install', ...ports({ ...free, vnc: PORTS.vnc })], [new RegExp(`port ${PORTS.vnc} is taken by puesto-gateway`), /--vnc PORT/]);
refuses('to start programs that are not there', ['--no-install', '--no-build', ...ports(free)], [/no programs in/, /without --no-build/]);
refuses('a folder with a blank', ['--data', `${base}/a b`], [/letters, digits/]);

test('deploy/up on a full disk says how much is missing, and leaves the disk as it was', () => {
	const disk = `${base}/disk`;
	execFileSync('mkdir', [disk]);
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', disk]);
	try {
		const { status, stderr } = up(['--no-install', '--data', `${disk}/data`, ...ports(free)]);
		assert.equal(status, 1);
		assert.match(stderr, /only 6\d MB are free in .*disk, and Puesto needs 512 MB/);
		assert.match(stderr, /--data DIR/);
		assert.deepEqual(readdirSync(disk), []);
	} finally {
		execFileSync('umount', [disk]);
	}
});

test('deploy/up below a folder that the services cannot pass names it, and what to do, before anything is made', () => {
	mkdirSync(`${base}/closed/inner`, { recursive: true });
	chmodSync(`${base}/closed`, 0o700);
	const { status, stderr } = up(['--no-install', '--no-build', '--data', `${base}/closed/inner/data`, ...ports(free)]);
	assert.equal(status, 1);
	assert.match(stderr, /closed lets nobody but its owner through \(mode 700, owner root\)/);
	assert.match(stderr, /chmod o\+x \S+\/closed$/m);
	assert.deepEqual(readdirSync(`${base}/closed/inner`), []);
});

/** A folder for PATH with a stand-in for one program. */
function stub(name, script) {
	const bin = mkdtempSync(`${base}/bin-`);
	writeFileSync(`${bin}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	return { PATH: `${bin}:${process.env.PATH}` };
}

const addNovnc = (args, env) => spawnSync(`${SOURCE}/deploy/novnc`, args, { encoding: 'utf8', env: { ...process.env, ...env } });

test('deploy/novnc takes no package but the one that it knows', () => {
	const web = `${base}/web`;
	mkdirSync(`${web}/novnc`, { recursive: true });
	writeFileSync(`${web}/novnc/index.html`, '');
	const { status, stderr } = addNovnc(['--web', web], stub('npm', 'while [ "$1" != --pack-destination ]; do shift; done; echo other >"$2/novnc-novnc-1.7.0.tgz"'));
	assert.equal(status, 1);
	assert.match(stderr, /not the one whose checksum/);
	assert.deepEqual(readdirSync(`${web}/novnc`), ['index.html']);
});

test('deploy/novnc says what is wrong with a folder, and what npm is for', () => {
	assert.match(addNovnc(['--data', base]).stderr, /is not a web folder of Puesto.*\n.*--data DIR/);
	assert.match(addNovnc(['--web', `${base}/web`], stub('npm', 'exit 1')).stderr, /npm pack @novnc\/novnc@\S+ failed.*\n.*npm.*registry/);
});

test('deploy/up with a package that cannot be installed shows why and leaves nothing', () => {
	const bin = mkdtempSync(`${base}/bin-`);
	writeFileSync(`${bin}/dpkg-query`, '#!/bin/sh\nexit 1\n');
	writeFileSync(`${bin}/apt-get`, '#!/bin/sh\n[ "$1" = update ] && exit 0\necho "E: Unable to locate package xvfb"\nexit 100\n');
	for (const name of readdirSync(bin))
		chmodSync(`${bin}/${name}`, 0o755);
	const { status, stderr } = up(['--data', `${base}/none`, ...ports(free)], { PATH: `${bin}:${process.env.PATH}` });
	assert.equal(status, 1);
	assert.match(stderr, /Unable to locate package xvfb/);
	assert.match(stderr, /package could not be installed/);
	assert.match(stderr, /--no-install/);
	assert.ok(!existsSync(`${base}/none`));
});

test('deploy/down of a folder that is not Puesto\'s says so', () => {
	const { status, stderr } = spawnSync(`${SOURCE}/deploy/down`, ['--data', base], { encoding: 'utf8' });
	assert.equal(status, 1);
	assert.match(stderr, /is not a data directory of Puesto/);
});

/** The status of a GET of another installation, checked with its own CA. */
const get = (dir, port, path) => new Promise((resolve) => {
	https.get({ host: 'localhost', port, path, agent: false, ca: readFileSync(`${dir}/pki/ca.pem`) }, (r) => { r.resume(); resolve(r.statusCode); }).on('error', () => resolve(0));
});

test('two installations side by side; the end of one leaves the other', async () => {
	const { status, text } = up(['--no-install', '--data', second, '--host', 'localhost', ...ports(SECOND)], stub('npm', 'exit 1'));
	assert.equal(status, 0, text);
	assert.match(text, /Left out: noVNC \(npm pack .* failed .*\)\. Add it later with: deploy\/novnc --data \S+second$/m);
	assert.match(text.trimEnd().split('\n').at(-1), new RegExp(`^READY https://localhost:${SECOND.https}/ rdp=${SECOND.rdp} vnc=${SECOND.vnc} credentials=`));
	assert.equal(await get(second, SECOND.https, '/'), 200);
	assert.notEqual(readFileSync(`${second}/credentials`, 'utf8'), readFileSync(`${DATA}/credentials`, 'utf8'));
	assert.notEqual(readFileSync(`${second}/etc/uid-base`, 'utf8'), readFileSync(`${DATA}/etc/uid-base`, 'utf8'));
	const mine = (await admin.list('/desktops')).filter((d) => d.state !== 'deleting').map((d) => [d.id, desktopPid(d.id)]);
	assert.ok(mine.length > 0);

	const { status: down } = spawnSync(`${SOURCE}/deploy/down`, ['--data', second, '--purge']);
	assert.equal(down, 0);
	assert.equal(await get(DATA, PORTS.https, '/'), 200);
	for (const [id, pid] of mine)
		assert.equal(desktopPid(id), pid, `the desktop ${id} goes on`);
	assert.ok(!existsSync(second));
	await until('no process of the second is left', () => processesOf(second).length === 0);
});
