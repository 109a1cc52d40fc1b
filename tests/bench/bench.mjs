// SPDX-License-Identifier: GPL-3.0-or-later
/** Opens each wire in turn, lets it draw and lets it idle, and prints what that cost as tables of Markdown. */

import { cpuMs, memory, nameOf, wakeups, calibration } from './cost.mjs';
import { SCREEN, WIRES } from './wires.mjs';

const isSmoke = process.env.PUESTO_SMOKE === 'yes';
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Steps far apart, so that each is sent whole and refined before the next; the clip runs at its own speed. */
const WORK = [
	{ name: 'typing', steps: isSmoke ? 5 : 40, ms: 250, line: 'type' },
	{ name: 'scrolling', steps: isSmoke ? 2 : 12, ms: 500, line: 'put48' },
	{ name: 'video', steps: isSmoke ? 15 : 120, ms: 33, line: 'clip' },
];
const IDLE_S = isSmoke ? 3 : 20;

const all = (processes) => Object.values(processes).flat();

async function work(running, { line, steps, ms }) {
	await running.workload.ask('page 1 0');
	await running.workload.ask('type 1 0');
	await running.relay.settled();
	const cpu = cpuMs(all(running.processes)), { down, up } = running.relay;
	await running.workload.ask(`${line} ${steps} ${ms}`);
	await running.relay.settled();
	return { down: (running.relay.down - down) / steps, up: (running.relay.up - up) / steps, cpu: (cpuMs(all(running.processes)) - cpu) / steps };
}

/** The panel's clock ticks once a minute: the time in between is looked at. */
async function idle(running) {
	await running.relay.settled(1500);
	const second = new Date().getSeconds();
	if (second + IDLE_S > 57 || second < 2)
		await sleep((62 - second % 60) % 60 * 1000);
	const before = Object.entries(running.processes).map(([what, pids]) => [what, wakeups(pids)]);
	const cpu = cpuMs(all(running.processes)), { down } = running.relay;
	await sleep(IDLE_S * 1000);
	return { cpu: cpuMs(all(running.processes)) - cpu, bytes: running.relay.down - down,
		wakeups: Object.fromEntries(before.map(([what, n]) => [what, wakeups(running.processes[what]) - n])) };
}

async function measure(wire) {
	const running = await wire.open();
	try {
		const result = { firstFrame: running.firstFrame, idle: await idle(running) };
		for (const kind of WORK)
			result[kind.name] = await work(running, kind);
		result.memory = memory(running.processes.session);
		if (!running.processes.session.some((pid) => nameOf(pid)))
			throw new Error('its server has ended meanwhile');
		return result;
	} finally {
		await running.close();
	}
}

const round = (n) => n >= 100 ? Math.round(n).toLocaleString('en') : n >= 10 ? n.toFixed(1) : n.toFixed(2);
const table = (head, rows) => [head, head.map((_, i) => i ? '---:' : '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

function report(results, calibrationMs) {
	const shown = WIRES.filter((w) => results.has(w.name));
	const titles = shown.map((w) => w.title);
	const cell = (wire, of) => {
		const mine = of(results.get(wire.name)), theirs = results.has(wire.peer) ? of(results.get(wire.peer)) : 0;
		return theirs ? `${round(mine)} (${(mine / theirs).toPrecision(2)}×)` : round(mine);
	};
	const row = (name, of) => [name, ...shown.map((wire) => cell(wire, of))];
	const rows = [row('log-in to first full frame, ms', (r) => r.firstFrame)];
	for (const { name } of WORK) {
		const unit = name === 'video' ? 'frame' : 'step';
		rows.push(row(`${name}: bytes down / ${unit}`, (r) => r[name].down), row(`${name}: bytes up / ${unit}`, (r) => r[name].up),
			row(`${name}: server ms / ${unit}`, (r) => r[name].cpu), row(`${name}: server time / calibration, ‰`, (r) => r[name].cpu / calibrationMs * 1000));
	}
	rows.push(row('memory of its own, MiB', (r) => r.memory.own), row('memory by share, MiB', (r) => r.memory.share),
		row(`idle ${IDLE_S} s: server ms`, (r) => r.idle.cpu), row(`idle ${IDLE_S} s: bytes`, (r) => r.idle.bytes));
	console.log(`${SCREEN.width} × ${SCREEN.height}; calibration (SHA-256 of 128 MiB): ${calibrationMs.toFixed(0)} ms; (n×) is the figure divided by its peer's of the same run.\n`);
	console.log(table(['', ...titles], rows));
	const parts = [...new Set(shown.flatMap((w) => Object.keys(results.get(w.name).idle.wakeups)))];
	console.log(`\nWake-ups in ${IDLE_S} s without a change on the screen:\n`);
	console.log(table(['', ...titles], parts.map((part) => [part, ...shown.map((w) => results.get(w.name).idle.wakeups[part] ?? '–')])));
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !WIRES.some((w) => w.name === name));
if (unknown.length) {
	console.error(`tests/bench: there is no wire ${unknown.join(', ')}; there are: ${WIRES.map((w) => w.name).join(', ')}`);
	process.exit(1);
}
const calibrationMs = Math.min(calibration(), calibration(), calibration());
const results = new Map();
for (const wire of WIRES.filter((w) => wanted.length ? wanted.includes(w.name) : w.isHere)) {
	console.error(`measuring: ${wire.title}`);
	try {
		results.set(wire.name, await measure(wire));
	} catch (reason) {
		process.exitCode = 1;
		console.error(`${wire.title} could not be measured: ${reason.message}`);
	}
}
report(results, calibrationMs);
process.exit(); /* the browser and the X servers end with it */
