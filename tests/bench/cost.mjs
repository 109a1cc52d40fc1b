// SPDX-License-Identifier: GPL-3.0-or-later
/** What processes cost: processor time, memory, wake-ups, all from /proc. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const read = (path) => { try { return readFileSync(path, 'utf8'); } catch { return ''; } };

/** Sums a number over all threads of the processes. @param {number[]} pids @param {(task: string) => number} of */
function overThreads(pids, of) {
	let sum = 0;
	for (const pid of pids) {
		let tasks = [];
		try { tasks = readdirSync(`/proc/${pid}/task`); } catch { /* it has ended */ }
		for (const task of tasks)
			sum += of(`/proc/${pid}/task/${task}`);
	}
	return sum;
}

/** Milliseconds on a processor so far. @param {number[]} pids */
export const cpuMs = (pids) => overThreads(pids, (task) => Number(read(`${task}/schedstat`).split(' ')[0] || 0) / 1e6);

/** How often the processes went to sleep by themselves: one for each wake-up. @param {number[]} pids */
export const wakeups = (pids) => overThreads(pids, (task) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(read(`${task}/status`))?.[1] ?? 0));

/** MiB: what only these processes have, and their share of all that they map. @param {number[]} pids */
export function memory(pids) {
	const sum = { own: 0, share: 0 };
	for (const pid of pids) {
		const text = read(`/proc/${pid}/smaps_rollup`);
		for (const [, key, kib] of text.matchAll(/^(Pss|Private_Clean|Private_Dirty):\s+(\d+)/gm))
			sum[key === 'Pss' ? 'share' : 'own'] += Number(kib) / 1024;
	}
	return sum;
}

/** A fixed piece of work of this run, in ms: what makes machines comparable. */
export function calibration() {
	const block = Buffer.alloc(1 << 20, 1);
	const begin = performance.now();
	for (let i = 0; i < 128; i++)
		createHash('sha256').update(block).digest();
	return performance.now() - begin;
}

const parentOf = (pid) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

/** A process and all below it. @param {number} root */
export function familyOf(root) {
	const all = readdirSync('/proc').filter((p) => /^\d+$/.test(p)).map(Number);
	const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
	return all.filter((pid) => {
		for (let p = pid; p > 1; p = parents.get(p) ?? 0)
			if (p === root)
				return true;
		return false;
	});
}

/** @param {number} pid */
export const nameOf = (pid) => read(`/proc/${pid}/comm`).trim();
