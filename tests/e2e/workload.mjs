// SPDX-License-Identifier: GPL-3.0-or-later
/** The drawing program of tests/bench, on a desktop or on any X display. */

import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { desktopPath, start } from './desktop.mjs';
import { until } from './installation.mjs';

const PROGRAM = `${process.env.PUESTO_BUILD ?? `${process.env.PUESTO_SOURCE}/build`}/tests/bench/workload`;

export class Workload {
	#lines = 0;

	/** @param {import('node:child_process').ChildProcess} child */
	constructor(child) {
		this.child = child;
		createInterface({ input: child.stdout }).on('line', () => { this.#lines++; });
	}

	/** A window of this size at X, Y of the desktop, without a frame and over all others. */
	static async onDesktop(id, ...place) {
		copyFileSync(PROGRAM, desktopPath(id, '/tmp/workload'));
		return new Workload(start(id, ['/tmp/workload', ...place.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })).#ready();
	}

	static async onDisplay(at, ...place) {
		return new Workload(spawn(PROGRAM, place.map(String), { env: { ...process.env, DISPLAY: at }, stdio: ['pipe', 'pipe', 'inherit'] })).#ready();
	}

	async #ready() {
		await until('the workload\'s window', () => this.#lines === 1);
		return this;
	}

	/** Draws, and returns when the last step is drawn. @param {string} line see workload.c */
	async ask(line) {
		const before = this.#lines;
		this.child.stdin.write(`${line}\n`);
		await until(line, () => this.#lines > before, 60);
	}

	close() {
		this.child.stdin.end();
	}
}
