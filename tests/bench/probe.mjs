// SPDX-License-Identifier: GPL-3.0-or-later
/** Who looks at the client's screen: probe.c. */

import { closeSync, openSync } from 'node:fs';
import { media } from './media.mjs';
import { Tool } from './tool.mjs';

/** Above this a part of text is another one: exact pictures have 0, spoilt ones a few. */
const ERROR_MAX = 24;

export class Probe {
	/** @param {string} client display @param {string} server display, or the file of an Xvfb's screen */
	static async open(client, server) {
		const probe = new Probe(), { clip } = await media(), fd = openSync(clip, 'r');
		probe.tool = await Tool.start('probe', [client, server, 3], { stdio: ['pipe', 'pipe', 'inherit', fd] });
		closeSync(fd);
		return probe;
	}

	/** Learns where the client shows the server's screen, by a part of it that is like no other. @param {{ x: number, y: number, width: number, height: number }} part */
	async find({ x, y, width, height }) {
		const [word, dx, dy, error] = await this.tool.ask(`find ${x} ${y} ${width} ${height}`);
		if (word !== 'found' || Number(error) > ERROR_MAX)
			throw new Error(`the client does not show the server's screen (mean difference ${error ?? 'unknown'})`);
		return { dx: Number(dx), dy: Number(dy), error: Number(error) };
	}

	point({ x, y }) {
		return this.tool.ask(`point ${x} ${y}`);
	}

	click({ x, y }) {
		return this.tool.ask(`click ${x} ${y}`);
	}

	/** Presses keys one after the other; when each was pressed, and when the marker was seen to turn over (0: never). */
	async keys(n, ms, { x, y }) {
		const [, ...pairs] = await this.tool.ask(`keys ${n} ${ms} ${x} ${y}`, 10 + n * 4);
		return pairs.filter(Boolean).map((pair) => {
			const [pressed, seen] = pair.split(':').map(Number);
			return { pressed, seen };
		});
	}

	/** The numbered frames of a clip, whose lower left corner is x, y. */
	async watch(ms, { x, y }) {
		const [, seen, first, last, longestMs, freezes, psnr, ssim] = (await this.tool.ask(`watch ${ms} ${x} ${y}`, 30 + ms / 1000)).map(Number);
		return { seen, first, last, longestMs, freezes, psnr, ssim };
	}

	/** How soon a part becomes equal after a time, and how alike it is meanwhile. */
	async after(ns, maxMs, { x, y, width, height }) {
		const [, exactMs, psnr50, ssim50, psnr200, ssim200, differing] = (await this.tool.ask(`after ${ns} ${maxMs} ${x} ${y} ${width} ${height}`)).map(Number);
		return { exactMs: exactMs < 0 ? null : exactMs, psnr50, ssim50, psnr200, ssim200, differing };
	}

	close() {
		this.tool.close();
	}
}
