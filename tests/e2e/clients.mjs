// SPDX-License-Identifier: GPL-3.0-or-later
/** The real viewers, TigerVNC and FreeRDP, each on an X display of its own. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pixelsOf, same } from './desktop.mjs';
import { atEnd, DATA, PORTS, password, until } from './installation.mjs';

const FIRST_DISPLAY = 91, LAST_DISPLAY = 99;
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];
const endAll = () => running.forEach((child) => child.kill('SIGKILL'));
atEnd(endAll);
process.on('exit', endAll); /* a file that fails before its first test has no other end */

/** Starts a program that ends with this test file. */
export function launch(program, args, options) {
	const child = spawn(program, args, options);
	running.push(child);
	return child;
}

const answers = (at) => {
	try { execFileSync('xdpyinfo', ['-display', at], { stdio: 'ignore' }); return true; } catch { return false; }
};

/** An X server for a viewer; its name, such as ":91". */
export async function display(size = '1600x1200x24') {
	for (let n = FIRST_DISPLAY; n <= LAST_DISPLAY; n++) {
		const child = launch('Xvfb', [`:${n}`, '-screen', '0', size, '-nolisten', 'tcp'], { stdio: 'ignore' });
		const isUp = await until('an X server for the viewer', () => child.exitCode === null ? answers(`:${n}`) && 'up' : 'taken');
		/* An answer may come from another server that has the number already: ours ends then. */
		const isOver = isUp === 'taken' || await Promise.race([once(child, 'exit').then(() => true), new Promise((resolve) => setTimeout(resolve, 300, false))]);
		if (!isOver)
			return `:${n}`;
	}
	throw new Error(`the X displays :${FIRST_DISPLAY} to :${LAST_DISPLAY} are all taken`);
}

/** Runs an X program against a display and returns what it printed. */
export function onDisplay(at, argv, options = {}) {
	return execFileSync(argv[0], argv.slice(1), { env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 1 << 28, timeout: 20000, ...options });
}

/** The viewer's window by name; its lower level holds the picture. */
export function windowOf(at, name) {
	try { return onDisplay(at, ['xdotool', 'search', '--onlyvisible', '--name', name]).toString().trim().split('\n')[0]; } catch { return ''; }
}

/** Pixels of a window. */
export function grab(at, window) {
	return pixelsOf(onDisplay(at, ['xwd', '-silent', '-id', window]));
}

export function vnc(at, user = 'demo', more = [], port = PORTS.vnc) {
	return launch('vncviewer', ['-SecurityTypes', 'X509Plain', '-X509CA', `${DATA}/pki/ca.pem`, ...more, `localhost::${port}`],
		{ env: { ...process.env, DISPLAY: at, VNC_USERNAME: user, VNC_PASSWORD: password(user) }, stdio: 'ignore' });
}

export function rdp(at, user = 'demo', more = ['/size:1024x700'], port = PORTS.rdp) {
	const child = launch('xfreerdp3', [`/v:localhost:${port}`, `/u:${user}`, '/from-stdin:force', '/cert:ignore', '/gfx', '/log-level:OFF', ...more],
		{ env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'ignore', 'ignore'] });
	child.stdin.write(`${password(user)}\n`);
	return child;
}

export const VIEWERS = {
	vnc: { what: 'the VNC viewer', title: 'TigerVNC', open: vnc },
	rdp: { what: 'the RDP client', title: 'FreeRDP', open: rdp },
};

/** Waits until the viewer's window shows the desktop; returns the window. */
export async function shows(viewer, at, desktop) {
	const id = await until(`${viewer.what} has a window`, () => windowOf(at, viewer.title));
	await same(viewer.what, desktop, () => grab(at, id));
	return id;
}
