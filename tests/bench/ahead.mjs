// SPDX-License-Identifier: GPL-3.0-or-later
/** Puesto's wires beside the best peer of the same run, figure by figure. */

import { OPERATIONS } from './measure.mjs';
import { bytes, figure } from './text.mjs';

const percent = (v) => `${(100 * v).toFixed(0)} %`;

/** What is compared; less is better unless `isMore`. A figure that a wire does not have counts for nothing. */
const FIGURES = [
	...OPERATIONS.map(({ name, title, unit }) => ({ title: `${title}: bytes / ${unit}`, of: (w) => w.operations?.[name]?.down.median, how: bytes })),
	...['window', 'put48', 'page', 'drag', 'pan'].map((name) => ({ title: `${OPERATIONS.find((o) => o.name === name).title}: server ms`, of: (w) => w.operations?.[name]?.cpu.median, how: figure })),
	{ title: 'a new page is exact after, ms', of: (w) => w.operations?.page?.exactMs?.median, how: figure },
	{ title: 'drawing to first byte, p50, ms', of: (w) => w.latency?.toByte?.p50, how: figure },
	{ title: 'key to pixel, p50, ms', of: (w) => w.latency?.total?.p50, how: figure },
	{ title: 'key to pixel, p99, ms', of: (w) => w.latency?.total?.p99, how: figure },
	{ title: 'key to pixel during the clip, p95, ms', of: (w) => w.mixed?.keys?.total?.p95, how: figure },
	{ title: 'clip: bytes / frame', of: (w) => w.clip?.downWhile, how: bytes },
	{ title: 'clip: server ms / frame', of: (w) => w.clip?.cpu, how: figure },
	{ title: 'clip: frames seen', of: (w) => w.clip?.share, how: percent, isMore: true },
	{ title: 'clip: SSIM', of: (w) => w.clip?.ssim, how: (v) => v.toFixed(4), isMore: true },
	{ title: 'log-in to first picture, ms', of: (w) => w.connectMs, how: figure },
	{ title: 'memory of its own, MiB', of: (w) => w.memory?.own, how: figure },
];

/** Whether a still picture becomes exact on this wire: what never does may send less. */
const isExact = (w) => Boolean(w.operations?.page?.exactMs);

/** @param {any} results @returns {{ head: string[], rows: string[][] }} */
export function ahead({ wires }) {
	const ours = wires.filter((w) => w.isOurs), peers = wires.filter((w) => !w.isOurs), rows = [];
	for (const { title, of, how, isMore } of FIGURES) {
		const best = (among) => among.map((w) => ({ w, value: of(w) })).filter(({ value }) => Number.isFinite(value)).sort((a, b) => isMore ? b.value - a.value : a.value - b.value)[0];
		const rivals = [best(peers.filter(isExact)), best(peers.filter((w) => !isExact(w)))];
		if (!best(ours) || !rivals.some(Boolean))
			continue;
		const isAhead = (value) => rivals.filter(Boolean).every((rival) => isMore ? value >= rival.value : value <= rival.value);
		rows.push([title, ...ours.map((w) => Number.isFinite(of(w)) ? isAhead(of(w)) ? `**${how(of(w))}**` : how(of(w)) : '–'), ...rivals.map((rival) => rival ? `${how(rival.value)} (${rival.w.title})` : '–')]);
	}
	return { head: ['', ...ours.map((w) => w.title), 'best peer that becomes exact', 'best peer that does not'], rows };
}
