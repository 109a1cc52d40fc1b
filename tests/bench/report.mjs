// SPDX-License-Identifier: GPL-3.0-or-later
/** The tables of a run. */

import { ahead } from './ahead.mjs';
import { goals } from './goals.mjs';
import { OPERATIONS } from './measure.mjs';
import { bytes, figure, spread, table } from './text.mjs';

const HEADS = { type: 'letter, tight', line: 'letter, line', window: 'letter, window', caret: 'caret', copy48: 'scroll 48, copied', put48: 'scroll 48, anew', copy3: 'scroll 3, copied, step', put3: 'scroll 3, anew, step',
	page: 'new page', seen: 'seen page', drag: 'drag, step', pan: 'pan, step' };

/** @param {any} results @param {string} of which figure of each operation @param {(s: any) => string} how */
function operations({ wires, plan, alone }, of, how) {
	const kinds = OPERATIONS.filter(({ name }) => plan.operations.includes(name));
	return table(['', ...kinds.map(({ name }) => HEADS[name])], [...(of === 'cpu' && alone ? [alone] : []), ...wires.filter((w) => Object.keys(w.operations ?? {}).length)].map((w) => [w.title, ...kinds.map(({ name }) => how(w.operations[name]?.[of]))]));
}

function latency({ wires }) {
	const three = (p) => p ? [p.p50, p.p95, p.p99].map(figure).join(' / ') : '–';
	return table(['', 'key to pixel, p50 / p95 / p99', 'key to drawing, p50', 'drawing to first byte, p50 / p95 / p99', 'first byte to pixel, p50', 'key to pixel during the clip, p50 / p95 / p99', 'keys'],
		wires.filter((w) => w.latency?.total).map((w) => [w.title, three(w.latency.total), figure(w.latency.toDraw.p50), three(w.latency.toByte), figure(w.latency.toPixel.p50), three(w.mixed?.keys?.total), String(w.latency.total.n)]));
}

function clips({ wires }) {
	const share = (c) => c ? `${(100 * c.share).toFixed(0)} %` : '–';
	return table(['', 'Mbit/s', 'bytes / frame', 'server ms / frame', 'frames seen', 'PSNR, dB', 'SSIM', 'longest gap, ms', 'gaps over 250 ms', 'exact after its end, ms', 'film 1280 × 720: Mbit/s', 'core, %', 'frames seen'],
		wires.filter((w) => w.clip).map(({ title, clip, movie }) => [title, figure(clip.mbit), bytes(clip.downWhile), figure(clip.cpu), share(clip), clip.psnr.toFixed(1), clip.ssim.toFixed(4), figure(clip.longestMs), String(clip.freezes),
			exact(clip.exactMs), figure(movie?.mbit), figure(movie ? movie.cpu * 3 : undefined), share(movie)]));
}

const exact = (ms) => ms === null || ms === undefined ? 'never' : figure(ms);

function looks({ wires }) {
	const of = (o) => o ? [spread(o.firstMs), spread(o.lastMs), o.exactMs ? spread(o.exactMs) : 'never', `${o.psnr50?.median.toFixed(1)} / ${o.ssim50?.median.toFixed(3)}`, `${o.psnr200?.median.toFixed(1)} / ${o.ssim200?.median.toFixed(3)}`] : [];
	const head = ['first byte, ms', 'last byte, ms', 'exact, ms', 'PSNR / SSIM at 50 ms', 'at 200 ms'];
	return table(['', ...head.map((h) => `page: ${h}`), 'scroll 48, anew: exact, ms', 'drag: exact, ms', 'pan: exact, ms'], wires.filter((w) => w.operations?.page).map(({ title, operations: o }) =>
		[title, ...of(o.page), ...[o.put48, o.drag, o.pan].map((k) => k?.exactMs ? spread(k.exactMs) : k ? 'never' : '–')]));
}

function rest({ wires }) {
	const woken = (idle) => idle ? Object.entries(idle.wakeups).map(([what, n]) => `${what} ${n}`).join(', ') : '–';
	return table(['', 'program start to first picture, ms', 'TLS to first picture, ms', 'memory of its own, MiB', 'memory by share, MiB', 'still: bytes / s', 'still: core, %', 'still: wake-ups'],
		wires.map(({ title, connectMs, pictureMs, memory, idle }) => [title, figure(connectMs), figure(pictureMs), figure(memory?.own), figure(memory?.share), bytes(idle && (idle.down + idle.up) / idle.seconds), idle ? (idle.cpu / idle.seconds / 10).toFixed(3) : '–',
			idle ? `${woken(idle)} in ${idle.seconds} s` : '–']));
}

function networks({ wires, plan }) {
	const rows = plan.networks.flatMap((network) => wires.filter((w) => w.networks[network.name]).map((w) => {
		const { still, page, clip, loaded } = w.networks[network.name], two = (p) => p ? `${figure(p.p50)} / ${figure(p.p95)}` : '–';
		return [`${w.title}, ${network.title}`, two(still.total), two(loaded.keys?.total), page.exactMs ? figure(page.exactMs) : 'never', `${(100 * clip.share).toFixed(0)} %`, figure(clip.mbit), figure(clip.longestMs), String(clip.freezes), exact(clip.exactMs)];
	}));
	return rows.length ? table(['', 'key to pixel, p50 / p95', 'during the film, p50 / p95', 'new page exact, ms', 'clip: frames seen', 'Mbit/s', 'longest gap, ms', 'gaps over 250 ms', 'exact after its end, ms'], rows) : '';
}

const conditions = ({ size, plan, machine }) => `${machine.date}; ${machine.system}; ${machine.processor}, ${machine.cores} cores; load before the run ${machine.load}; ${size.width} × ${size.height}; ` +
	`${plan.rounds} rounds in random order; calibration (SHA-256 of 128 MiB) ${figure(machine.calibrationMs)} ms.`;

/** @param {any} results of a run @returns {string} Markdown */
export function report(results) {
	const { wires, leftOut, machine } = results, lines = [conditions(results)];
	const section = (title, text) => text && lines.push(`### ${title}`, text);
	section('Goals', table(['goal', 'aim', 'reached', 'met'], goals(results).map(({ name, aim, reached, isMet }) => [name, aim, reached, isMet === null ? '–' : isMet ? 'yes' : 'no'])));
	const { head, rows } = ahead(results);
	section('Beside the best peer', rows.length && `Bold: as good as the best peer of this run, or better, be it one whose still picture becomes exact or one that leaves it lossy.\n\n${table(head, rows)}`);
	section('Bytes down per operation', operations(results, 'down', (s) => spread(s, bytes)));
	section('Server time per operation, ms', operations(results, 'cpu', spread));
	section('Latency, ms', latency(results));
	section('A clip of 640 × 360 at 30 frames a second', clips(results));
	section('How soon a picture is complete', looks(results));
	section('Slow paths', networks(results));
	section('Log-in, memory, stillness', rest(results));
	const restless = wires.filter((w) => w.restless).map((w) => `${w.title} sends ${bytes(w.restless)} bytes a second of a screen that is still, so it has no bytes per operation.`);
	section('Versions and settings', [`- clients and X servers: ${machine.clients.join(', ')}`, ...wires.map((w) => `- ${w.title}${w.version ? ` ${w.version}` : ''}: ${w.settings}`), ...restless.map((text) => `- ${text}`), ...leftOut.map((w) => `- left out: ${w.title}, ${w.reason}`)].join('\n'));
	return lines.join('\n\n') + '\n';
}
