// SPDX-License-Identifier: GPL-3.0-or-later
/** A desktop as the host sees it: its files, its processes, its screen in the X server's own memory, and programs started in it. */

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
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

/** Pixels of an XWD file, 0x00RRGGBB each; of its first rows when the file is cut after them. */
export function pixelsOf(file, width = file.readUInt32BE(16), height = file.readUInt32BE(20)) {
	const stride = file.readUInt32BE(48), start = file.readUInt32BE(0) + file.readUInt32BE(76) * 12;
	const pixels = new Uint32Array(width * height);
	const bytes = Buffer.from(pixels.buffer);
	for (let y = 0; y < height; y++)
		file.copy(bytes, y * width * 4, start + y * stride, start + (y * stride + width * 4));
	for (let i = 0; i < pixels.length; i++)
		pixels[i] &= 0xffffff; /* the fourth byte has no meaning */
	return { width, height, pixels };
}

/** The screen in the X server's own memory, an XWD file, cut to width × height. */
export function desktopScreen(id, width, height) {
	const fd = openSync(desktopPath(id, '/run/puesto-x/Xvfb_screen0'));
	try {
		const head = Buffer.alloc(100);
		readSync(fd, head, 0, 100, 0);
		const file = Buffer.alloc(head.readUInt32BE(0) + head.readUInt32BE(76) * 12 + height * head.readUInt32BE(48));
		readSync(fd, file, 0, file.length, 0);
		return pixelsOf(file, width, height).pixels;
	} finally {
		closeSync(fd);
	}
}

/** The size that RandR gives the screen. @returns {[number, number]} */
export function screenSize(id) {
	const [, width, height] = /current (\d+) x (\d+)/.exec(run(id, ['xrandr'])) ?? [];
	return [Number(width), Number(height)];
}

/** SHA-256 of the pixels as R G B A bytes, which is what a page can tell of a canvas without handing it over. @param {Uint32Array} pixels */
export function hashOf(pixels) {
	const rgba = new Uint32Array(pixels.length);
	for (let i = 0; i < pixels.length; i++)
		rgba[i] = 0xff000000 | (pixels[i] & 0xff) << 16 | (pixels[i] & 0xff00) | pixels[i] >> 16;
	return createHash('sha256').update(Buffer.from(rgba.buffer)).digest('hex');
}

/** Whether a client's picture, be it pixels or their hash, equals the desktop's own screen. */
export function isSame(id, { width, height, pixels, hash }) {
	const own = desktopScreen(id, width, height);
	return hash ? hash === hashOf(own) : Buffer.from(pixels.buffer).equals(Buffer.from(own.buffer));
}

/** Waits until it does. @param {() => Promise<any> | any} picture */
export function same(what, id, picture, seconds = 25) {
	return until(`${what} shows the desktop's own screen, pixel by pixel`, async () => {
		const shown = await picture();
		return shown.width > 1 && isSame(id, shown);
	}, seconds);
}
