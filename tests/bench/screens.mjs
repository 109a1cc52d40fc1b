// SPDX-License-Identifier: GPL-3.0-or-later
/** X servers of the bench, for viewers and for peers' screens, and programs that end with it. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const FIRST = Number(process.env.PUESTO_BENCH_DISPLAY ?? 150), LAST = FIRST + 19;
/** What a viewer's screen is larger than its picture, in pixels: its window stands where it likes. */
export const ROOM = 80;
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
export const endPrograms = () => running.forEach((child) => child.kill());

/** Starts a program that ends with the bench at the latest. @param {string} program @param {(string | number)[]} args @param {import('node:child_process').SpawnOptions} [options] */
export function launch(program, args, options = {}) {
	const child = spawn(program, args.map(String), { stdio: 'ignore', ...options });
	running.add(child);
	child.on('error', () => running.delete(child));
	child.on('exit', () => running.delete(child));
	return child;
}

/** Ends a program, and waits until it has; by force after 3 s. */
export async function end(child) {
	if (!child?.pid || child.exitCode !== null || child.signalCode !== null)
		return;
	const late = setTimeout(() => child.kill('SIGKILL'), 3000);
	child.kill();
	await new Promise((resolve) => child.once('exit', resolve));
	clearTimeout(late);
}

/** A server that was killed leaves its lock behind; the next one of that number takes it over. */
function isTaken(n) {
	try {
		return existsSync(`/proc/${readFileSync(`/tmp/.X${n}-lock`, 'utf8').trim()}`);
	} catch {
		return existsSync(`/tmp/.X11-unix/X${n}`);
	}
}

/** A display that nobody has. */
export function freeDisplay() {
	for (let n = FIRST; n <= LAST; n++)
		if (!isTaken(n))
			return `:${n}`;
	throw new Error(`the X displays :${FIRST} to :${LAST} are all taken`);
}

const answers = (at) => {
	try { execFileSync('xdpyinfo', ['-display', at], { stdio: 'ignore' }); return true; } catch { return false; }
};

/** Waits until an X server answers. @param {import('node:child_process').ChildProcess} server */
export async function answering(at, server, seconds = 15) {
	const end = Date.now() + seconds * 1000;
	while (!answers(at)) {
		if (server.exitCode !== null || Date.now() > end)
			throw new Error(`the X server ${at} did not start`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** What was begun for one wire, and ends with it: in the reverse order, whatever fails. */
export class Scope {
	#ends = /** @type {(() => any)[]} */ ([]);

	/** @param {() => any} end */
	add(end) {
		this.#ends.push(end);
	}

	/** Starts a program of this scope; see launch(). */
	launch(program, args, options) {
		const child = launch(program, args, options);
		this.add(() => end(child));
		return child;
	}

	async close() {
		for (const end of this.#ends.splice(0).reverse()) {
			try { await end(); } catch (reason) { console.error(`  ${reason.message}`); }
		}
	}
}

/** Xvfb of this size. @param {{ width: number, height: number }} size @param {Scope} scope */
export async function screen({ width, height }, scope) {
	const at = freeDisplay();
	const server = scope.launch('Xvfb', [at, '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp', '-noreset']);
	await answering(at, server);
	return { at, server };
}

/** Asks until the answer is true, which is returned. */
export async function until(what, check, seconds = 20) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const answer = await check();
		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`it never came to this within ${seconds} s: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 60));
	}
}

export const listens = (port) => execFileSync('ss', ['-ltnH', `sport = :${port}`]).length > 0;
export const has = (program) => (process.env.PATH ?? '').split(':').some((dir) => existsSync(`${dir}/${program}`));
