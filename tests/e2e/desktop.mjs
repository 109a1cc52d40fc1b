// SPDX-License-Identifier: GPL-3.0-or-later
/** A desktop as the host sees it: its files, its processes, its screen in the X server's own memory, and programs started in it. */

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { DATA, until } from './installation.mjs';

/** The desktop's process 1. @param {string} id */
export function desktopPid(id) {
	return JSON.parse(readFileSync(`${DATA}/desktops/${id}/pid`, 'utf8')).pid;
}

/** @param {string} id @param {string} path */
export function desktopPath(id, path) {
	return `/proc/${desktopPid(id)}/root${path}`;
}

export function desktopFile(id, path) {
	return readFileSync(desktopPath(id, path));
}

export function desktopEntries(id, path) {
	return readdirSync(desktopPath(id, path));
}

/** Whether a file of the desktop holds exactly this; false while it is not there. */
export function fileIs(id, path, text) {
	try { return desktopFile(id, path).toString() === text; } catch { return false; }
}

/** Pids, in the desktop's own numbers, of the programs of this name. */
export function processes(id, name) {
	return desktopEntries(id, '/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
		try { return desktopFile(id, `/proc/${p}/comm`).toString().trim() === name; } catch { return false; }
	});
}

/** Pids, in the host's numbers, of everything in the desktop's process namespace that has this name. */
export function hostPids(id, name) {
	const space = readlinkSync(`/proc/${desktopPid(id)}/ns/pid`);
	return readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
		try {
			return readlinkSync(`/proc/${p}/ns/pid`) === space && readFileSync(`/proc/${p}/comm`, 'utf8').trim() === name.slice(0, 15);
		} catch { return false; }
	}).map(Number);
}

/** nsenter's words for a program of the desktop's user, in the desktop's namespaces, with its session's environment. */
function inside(id, argv, ...more) {
	const [wm] = processes(id, 'openbox');
	const environment = desktopFile(id, `/proc/${wm}/environ`).toString().split('\0').filter(Boolean);
	const uid = /^Uid:\s+(\d+)/m.exec(desktopFile(id, `/proc/${wm}/status`).toString())?.[1] ?? '65534';
	return ['-t', String(desktopPid(id)), '-m', '-u', '-i', '-n', '-C', ...more, '--', 'setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs',
		'env', '-i', '-C', '/home/user', ...environment, ...argv];
}

/** Runs a program in the desktop and returns what it printed. @param {string} id @param {string[]} argv */
export function run(id, argv, options = {}) {
	return execFileSync('nsenter', inside(id, argv, '-p'), { timeout: 20000, ...options }).toString();
}

/**
 * Starts a program on the desktop. Its process number is of the host's, since in the desktop's process namespace it would be a child of nsenter that
 * a signal does not reach.
 * @param {string} id @param {string[]} argv
 */
export function start(id, argv, options = {}) {
	return spawn('nsenter', inside(id, argv), { stdio: 'ignore', ...options });
}

/** The screen: an XWD file, B G R X, cut to width × height, as R G B rows. */
export function desktopScreen(id, width, height) {
	const file = desktopFile(id, '/run/puesto-x/Xvfb_screen0');
	const header = file.readUInt32BE(0), stride = file.readUInt32BE(48), colours = file.readUInt32BE(76);
	const start = header + colours * 12;
	const rgb = Buffer.alloc(width * height * 3);
	for (let y = 0, to = 0; y < height; y++)
		for (let x = 0, from = start + y * stride; x < width; x++, from += 4) {
			rgb[to++] = file[from + 2];
			rgb[to++] = file[from + 1];
			rgb[to++] = file[from];
		}
	return rgb;
}

/** The size that RandR gives the screen. @returns {[number, number]} */
export function screenSize(id) {
	const [, width, height] = /current (\d+) x (\d+)/.exec(run(id, ['xrandr'])) ?? [];
	return [Number(width), Number(height)];
}

/** How many pixels of two R G B pictures differ. */
export function differing(a, b) {
	let count = 0;
	for (let i = 0; i < a.length; i += 3)
		if (a[i] !== b[i] || a[i + 1] !== b[i + 1] || a[i + 2] !== b[i + 2])
			count++;
	return count;
}

/** Waits until a client's picture equals the desktop's own screen. @param {() => Promise<any> | any} picture */
export function same(what, id, picture, seconds = 25) {
	return until(`${what} shows the desktop's own screen, pixel by pixel`, async () => {
		const shown = await picture();
		return shown.width > 1 && differing(shown.rgb, desktopScreen(id, shown.width, shown.height)) === 0;
	}, seconds);
}
