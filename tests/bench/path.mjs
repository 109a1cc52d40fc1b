// SPDX-License-Identifier: GPL-3.0-or-later
/** The way between client and server: relay.c, which counts, times and slows down. */

import { Tool } from './tool.mjs';

export class Path {
	/** @param {number} port of the server */
	static async to(port) {
		const path = new Path();
		path.tool = await Tool.start('relay', [port]);
		path.port = Number(path.tool.greeting[1]);
		return path;
	}

	mark() {
		return this.tool.ask('mark');
	}

	/** Since the mark; times in ns of the monotonic clock. */
	async count() {
		const [, down, up, connections, first, last, asked, secured] = (await this.tool.ask('count')).map(Number);
		return { down, up, connections, first, last, asked, secured };
	}

	/** Waits for silence from the server, and tells when its last byte came. */
	async settled(quietMs = 300, maxMs = 8000) {
		return Number((await this.tool.ask(`settle ${quietMs} ${maxMs}`))[1]);
	}

	/** @param {{ delayMs?: number, kbit?: number }} how one-way delay and rate; none for a free path */
	slow({ delayMs = 0, kbit = 0 }) {
		return this.tool.ask(`path ${delayMs} ${kbit}`);
	}

	/** The pieces since the mark. */
	async log() {
		const [, , ...pieces] = await this.tool.ask('log');
		return pieces.map((piece) => {
			const [way, at, bytes] = piece.split(':');
			return { isUp: way === 'u', at: Number(at), bytes: Number(bytes) };
		});
	}

	close() {
		this.tool.close();
	}
}
