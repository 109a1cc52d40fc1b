// SPDX-License-Identifier: GPL-3.0-or-later
/** The drawing program on the screen that is looked at: workload.c. */

import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, openSync } from 'node:fs';
import { desktopPath, start } from '../e2e/desktop.mjs';
import { media } from './media.mjs';
import { Tool } from './tool.mjs';

const PROGRAM = `${process.env.PUESTO_BUILD}/tests/bench/workload`;
/** Height of the bar at the bottom of our desktops, which stays in view. */
export const BAR = 40;

export class Painter {
	/** @param {(args: string[], stdio: any[]) => import('node:child_process').ChildProcess} run @param {{ width: number, height: number }} size of the screen */
	static async #begin(run, { width, height }) {
		const files = await media(), fds = [files.clip, files.photo].map((file) => openSync(file, 'r'));
		const painter = new Painter();
		painter.window = { x: 0, y: 0, width, height: height - BAR };
		const child = run([0, 0, width, height - BAR, 3, 4].map(String), ['pipe', 'pipe', 'inherit', ...fds]);
		fds.forEach(closeSync);
		painter.tool = await Tool.ready('workload', child, ['key']);
		const [, x, y] = painter.tool.greeting.map(Number);
		painter.marker = { x: x + 8, y: y + 8 };
		painter.pid = child.pid;
		return painter;
	}

	/** On a desktop of ours. @param {string} id */
	static onDesktop(id, size) {
		copyFileSync(PROGRAM, desktopPath(id, '/tmp/workload'));
		return Painter.#begin((args, stdio) => start(id, ['/tmp/workload', ...args], { stdio }), size);
	}

	/** On any X display, whose screen is bare otherwise. @param {string} at */
	static async onDisplay(at, size) {
		const painter = await Painter.#begin((args, stdio) => spawn(PROGRAM, args, { env: { ...process.env, DISPLAY: at }, stdio }), size);
		await painter.draw('root');
		return painter;
	}

	/** Takes steps, and tells when the first and the last were given to the X server. @param {string} name see desk.c */
	async draw(name, steps = 1, ms = 0) {
		const [, first, last] = (await this.tool.ask(`${name} ${steps} ${ms}`, 30 + steps * ms / 1000)).map(Number);
		return { first, last };
	}

	/** Times at which keys that arrived turned the marker over, since the last call. */
	keys() {
		return this.tool.asides.key.splice(0).map(([at]) => Number(at));
	}

	close() {
		this.tool.close();
	}
}
