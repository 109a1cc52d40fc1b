// SPDX-License-Identifier: GPL-3.0-or-later
/** The goals of the streaming engine, and what a run reached of them. A goal whose figures are not in the run says so. */

import { bytes, figure } from './text.mjs';

const CORE_MS = 1000;

/** One line: the worst wire decides. @param {string} name @param {string} aim @param {[string, number | undefined, boolean][]} values of wires: name, figure, whether it is met */
function line(name, aim, values, how = figure) {
	const known = values.filter(([, value]) => value !== undefined && value !== null && !Number.isNaN(value));
	return { name, aim, reached: known.length ? known.map(([wire, value]) => `${wire} ${how(value)}`).join(', ') : 'not measured', isMet: known.length ? known.every(([, , isMet]) => isMet) : null };
}

/** @param {any} results @returns {{ name: string, aim: string, reached: string, isMet: boolean | null }[]} */
export function goals({ wires, plan }) {
	const ours = wires.filter((w) => w.isOurs), find = (name) => wires.find((w) => w.name === name), tigervnc = find('tigervnc'), lossless = find('tigervnc-lossless');
	const each = (of, isMet, among = ours) => among.map((w) => { const value = of(w); return [w.name, value, isMet(value, w)]; });
	const down = (w, name) => w?.operations?.[name]?.down.median, cpu = (w, name) => w.operations?.[name]?.cpu.median;
	const worstLetter = (w) => w?.operations?.type && w.operations.line && w.operations.window ? Math.max(down(w, 'type'), down(w, 'line'), down(w, 'window')) : undefined;
	const letterAims = { vnc: 60, browser: 80, rdp: 160 }, perSession = (w) => {
		const letter = Math.max(cpu(w, 'type'), cpu(w, 'line'), cpu(w, 'window'));
		return 10 * CORE_MS / (20 * letter + 4 * cpu(w, 'put48') + cpu(w, 'page'));
	};
	const network = (w, name) => w.networks?.[name], rtt = (name) => 2 * (plan.networks.find((n) => n.name === name)?.delayMs ?? 0);
	const exactAfter = (w) => { const clip = (network(w, 'home') ?? w).clip; return clip && (clip.exactMs ?? Infinity); };
	const forPages = ours.filter((w) => w.name !== 'vnc');
	return [
		line('P1 a letter, the worst damage, bytes', 'VNC ≤ 60, browser ≤ 80, RDP ≤ 160', each(worstLetter, (v, w) => v <= letterAims[w.name]), bytes),
		line('P1 of the lossless TigerVNC, ratio', '≥ 1.8', lossless ? each((w) => worstLetter(lossless) / worstLetter(w), (v) => v >= 1.8) : []),
		line('P2 drawing to first byte, p50, ms', '≤ 0.5', each((w) => w.latency?.toByte?.p50, (v) => v <= 0.5)),
		line('P2 drawing to first byte, p99, ms', '≤ 2', each((w) => w.latency?.toByte?.p99, (v) => v <= 2)),
		line('P2 what the clip adds to key to pixel, p95, ms', '≤ 5', each((w) => w.mixed?.keys?.total && w.latency?.total ? w.mixed.keys.total.p95 - w.latency.total.p95 : undefined, (v) => v <= 5)),
		line('P3 scroll by 48 px drawn anew, bytes', '≤ 4,500', each((w) => down(w, 'put48'), (v) => v <= 4500), bytes),
		line('P3 its server time, ms', '≤ 2.5', each((w) => cpu(w, 'put48'), (v) => v <= 2.5)),
		line('P4 a new page of text, bytes', '≤ 75,000', each((w) => down(w, 'page'), (v) => v <= 75000), bytes),
		line('P4 its server time, ms', '≤ 12', each((w) => cpu(w, 'page'), (v) => v <= 12)),
		line('P4 a page seen before, bytes', 'browser and RDP ≤ 8,000', each((w) => down(w, 'seen'), (v) => v <= 8000, forPages), bytes),
		line('P5 frames of the clip that are seen, %', '≥ 99', each((w) => w.clip && 100 * w.clip.share, (v) => v >= 99)),
		line('P5 its bytes, of TigerVNC\'s', '≤ 0.25', tigervnc?.clip ? each((w) => w.clip && w.clip.downWhile / tigervnc.clip.downWhile, (v) => v <= 0.25) : []),
		line('P5 its SSIM over TigerVNC\'s', '≥ 0', tigervnc?.clip ? each((w) => w.clip && w.clip.ssim - tigervnc.clip.ssim, (v) => v >= 0) : [], (v) => v.toFixed(4)),
		line('P5 server time of a frame, ms', '≤ 3', each((w) => w.clip?.cpu, (v) => v <= 3)),
		line('P5 film of 1280 × 720: a core\'s share, %', '≤ 25', each((w) => w.movie && w.movie.cpu * 3, (v) => v <= 25)),
		line('P6 exact after a clip at 20 Mbit/s, ms', '≤ 400', each(exactAfter, (v) => v <= 400), (v) => v === Infinity ? 'never' : figure(v)),
		line('P7 sessions a core: 20 letters, 4 scrolls, 1 page in 10 s', '≥ 200', each((w) => w.operations?.page ? perSession(w) : undefined, (v) => v >= 200)),
		line('P7 a still viewer, % of a core', '≤ 0.05', each((w) => w.idle && w.idle.cpu / w.idle.seconds / 10, (v) => v <= 0.05), (v) => v.toFixed(3)),
		line('P7 its wake-ups a second', '0', each((w) => w.idle && Object.values(w.idle.wakeups).reduce((a, b) => a + b, 0) / w.idle.seconds, (v) => v === 0)),
		line('P8 cost of 50 viewers of one desktop', '≤ 1.5 × one', []),
		line('P9 10 Mbit/s, 40 ms, a film plays: key to pixel p95, ms', `≤ ${rtt('wan') + 30}`, each((w) => network(w, 'wan')?.loaded.keys?.total?.p95, (v) => v <= rtt('wan') + 30)),
		line('P9 gaps over 250 ms in the clip there', '0', each((w) => network(w, 'wan')?.clip.freezes, (v) => v === 0), String),
		line('P10 200 ms: frames of the clip, % of those without delay', '≥ 95', each((w) => network(w, 'far') && w.clip ? 100 * network(w, 'far').clip.share / w.clip.share : undefined, (v) => v >= 95)),
		line('P11 TLS to first picture at 20 Mbit/s, 20 ms, ms', `1.2 round trips and 80: ≤ ${Math.round(rtt('home') * 1.2 + 80)}`, each((w) => network(w, 'home')?.pictureMs, (v) => v <= rtt('home') * 1.2 + 80)),
	];
}
