// SPDX-License-Identifier: GPL-3.0-or-later
/** What is measured on one wire, from its first picture to its last. docs/benchmarks.md says what each figure means. */

import { cpuMs, memory, nameOf, wakeups } from './cost.mjs';
import { CLIP } from './media.mjs';
import { BAR, Painter } from './painter.mjs';
import { Path } from './path.mjs';
import { Probe } from './probe.mjs';
import { Scope, screen } from './screens.mjs';
import { percentiles, shuffled, summary } from './stats.mjs';

/** Some servers look at their screen now and then only: silence from the beginning must last longer. */
const SLOW_MS = 1000, SETTLE_MS = 4000;
/** So much later than its time a wire may still begin a part. */
const SLACK_MS = 8000;
/** The browser client has a handle at the upper edge, over the picture. */
const TOP = 24;
const CLIP_AT = 40, FRAME_MS = 1000 / CLIP.fps, MOVIE = { width: 1280, height: 720 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The operations of the slow-motion rounds. Each is one thing that a user does: `steps` of the drawing program, MS apart, then silence. `mode` is what must be on the
 * screen before, set up and settled without being counted. `looks` has its picture looked at.
 */
export const OPERATIONS = [
	{ name: 'type', title: 'a letter, tight damage', unit: 'letter', steps: 1 },
	{ name: 'line', title: 'a letter, its line damaged', unit: 'letter', steps: 1 },
	{ name: 'window', title: 'a letter, the window damaged', unit: 'letter', steps: 1 },
	{ name: 'caret', title: 'a caret blinks', unit: 'blink', steps: 1 },
	{ name: 'copy48', title: 'scroll 48 px, copied', unit: 'step', steps: 1 },
	{ name: 'put48', title: 'scroll 48 px, drawn anew', unit: 'step', steps: 1, looks: true },
	{ name: 'copy3', title: 'scroll 3 px, copied', unit: 'step', steps: 12, ms: FRAME_MS },
	{ name: 'put3', title: 'scroll 3 px, drawn anew', unit: 'step', steps: 12, ms: FRAME_MS },
	{ name: 'page', title: 'a new page of text', unit: 'page', steps: 1, looks: true },
	{ name: 'seen', title: 'a page seen before', unit: 'page', steps: 1 },
	{ name: 'drag', title: 'a window is dragged', unit: 'step', steps: 10, ms: FRAME_MS, mode: 'drag', looks: true },
	{ name: 'pan', title: 'a photo is panned', unit: 'step', steps: 10, ms: FRAME_MS, mode: 'pan', looks: true },
];

/** Of the frames between the first and the last that were seen, how many were; the delay of the path does not count. */
const shareOf = ({ seen, first, last }) => last > first ? Math.min(1, seen / (last - first + 1)) : 0;
const all = (processes) => Object.values(processes).flat();

export class Measurement {
	/** @param {any} running what a wire's open() gives @param {any} plan @param {{ width: number, height: number }} size */
	constructor(running, plan, size) {
		Object.assign(this, running);
		this.plan = plan;
		this.size = size;
		this.area = { x: 0, y: TOP, width: size.width, height: size.height - BAR - 40 - TOP };
		this.pids = () => all(this.processes);
	}

	/** Looks where the client shows the screen, and whether keys arrive. */
	async prepare() {
		const last = await this.path.settled(400, 6000);
		if (Number(process.hrtime.bigint()) - last < 300e6)
			this.restless = await this.#flow();
		this.probe = await Probe.open(this.client.at, this.server);
		this.offset = await this.probe.find({ x: 24, y: 96, width: 220, height: 30 });
		const field = { x: 200, y: this.size.height - BAR - 12 };
		await this.probe.point(field);
		await this.probe.click(field);
		await sleep(200);
		await this.painter.draw('focus');
		await this.path.settled(200, 3000);
		this.hasKeys = (await this.probe.keys(2, 50, this.painter.marker)).every((key) => key.seen > 0);
	}

	/** Bytes a second of a server that sends although nothing changes. */
	async #flow() {
		await this.path.mark();
		await sleep(2000);
		return (await this.path.count()).down / 2;
	}

	/** One operation, from its first drawing to silence. */
	async #operate({ name, steps, ms = 0, looks }) {
		await this.path.mark();
		const cpu = cpuMs(this.pids()), { first, last } = await this.painter.draw(name, steps, ms);
		const look = looks && !this.isAlone ? this.probe.after(last, this.plan.exactMs, this.area) : undefined;
		await this.path.settled(this.plan.quietMs, SETTLE_MS);
		if (!this.isAlone && !(await this.path.count()).down)
			await this.path.settled(SLOW_MS, SETTLE_MS);
		const after = await look, count = await this.path.count(), spent = cpuMs(this.pids()) - cpu;
		return { down: count.down / steps, up: count.up / steps, cpu: spent / steps, ...after,
			firstMs: count.first ? (count.first - first) / 1e6 : null, lastMs: count.last ? (count.last - last) / 1e6 : null };
	}

	async #mode(name) {
		if (name === this.mode)
			return;
		await this.painter.draw('rest');
		if (name)
			await this.painter.draw(name);
		await this.path.settled(this.plan.quietMs, SETTLE_MS);
		this.mode = name;
	}

	/** Bytes, time and likeness of each operation, in rounds of a random order. @param {number} ends no round begins after this */
	async operations(ends) {
		const kinds = OPERATIONS.filter((kind) => this.plan.operations.includes(kind.name)), seen = new Map(kinds.map(({ name }) => [name, []]));
		for (const name of ['page', 'seen']) {
			await this.painter.draw(name);
			await this.path.settled(this.plan.quietMs, SETTLE_MS);
		}
		for (let round = 0; round < this.plan.rounds && (round < 1 || performance.now() < ends); round++)
			for (const i of shuffled(kinds.length, this.plan.seed + round)) {
				await this.#mode(kinds[i].mode);
				seen.get(kinds[i].name).push(await this.#operate(kinds[i]));
			}
		await this.#mode(undefined);
		return Object.fromEntries([...seen].map(([name, runs]) => [name, Object.fromEntries(['down', 'up', 'cpu', 'firstMs', 'lastMs', 'exactMs', 'psnr50', 'ssim50', 'psnr200', 'ssim200', 'differing']
			.map((figure) => [figure, runs.map((run) => run[figure]).filter((value) => value !== null && value !== undefined)])
			.filter(([, values]) => values.length).map(([figure, values]) => [figure, summary(values)]))]));
	}

	/** Key to pixel, and its parts: key to drawing, drawing to first byte, first byte to pixel. */
	async latency(n) {
		if (!this.hasKeys)
			return { reason: 'keys did not arrive' };
		this.painter.keys();
		await this.path.mark();
		const keys = await this.probe.keys(n, this.plan.keyMs, this.painter.marker), drawn = this.painter.keys(), log = (await this.path.log()).filter((piece) => !piece.isUp);
		const seen = keys.filter((key) => key.seen), parts = seen.map(({ pressed, seen: at }) => {
			const draw = drawn.find((t) => t > pressed && t < at), byte = log.find((piece) => piece.at > draw)?.at;
			return { total: (at - pressed) / 1e6, toDraw: (draw - pressed) / 1e6, toByte: byte < at ? (byte - draw) / 1e6 : NaN, toPixel: (at - byte) / 1e6 };
		});
		const of = (part) => percentiles(parts.map((p) => p[part]).filter((v) => !Number.isNaN(v)));
		return { lost: n - seen.length, total: of('total'), toDraw: of('toDraw'), toByte: of('toByte'), toPixel: of('toPixel') };
	}

	/** A clip at its own speed: bytes, time, frames at the client, likeness, and how soon it is exact after its end. @param {'clip' | 'movie'} name */
	async play(name, seconds, { keys = 0 } = {}) {
		const frames = Math.round(seconds * CLIP.fps), at = name === 'clip' ? { x: CLIP_AT, y: CLIP_AT + CLIP.height } : { x: 0, y: Math.min(MOVIE.height, this.size.height - BAR - 40) };
		await this.path.mark();
		const cpu = cpuMs(this.pids()), began = process.hrtime.bigint(), drawing = this.painter.draw(name, frames, FRAME_MS);
		const playing = keys ? this.#keysWhile(keys) : this.probe.watch(seconds * 1000 - 100, at);
		const { last } = await drawing, during = await this.path.count(), spentWhile = cpuMs(this.pids()) - cpu, seen = await playing;
		const exact = keys ? {} : await this.probe.after(last, this.plan.exactMs, this.area);
		await this.path.settled(this.plan.quietMs, SETTLE_MS);
		const count = await this.path.count(), playedMs = Number(process.hrtime.bigint() - began) / 1e6;
		this.mode = name;
		await this.#mode(undefined);
		return { frames, down: count.down / frames, downWhile: during.down / frames, up: count.up / frames, cpu: spentWhile / frames, playedMs,
			mbit: during.down * 8 / (seconds * 1e6), ...(keys ? { keys: seen } : { ...seen, share: shareOf(seen) }), exactMs: exact.exactMs, differing: exact.differing };
	}

	/** Keys while something plays, after its first half second. */
	async #keysWhile(n) {
		await sleep(600);
		return this.latency(n);
	}

	/** Stillness: what is sent, what it costs, who wakes up. */
	async idle(seconds) {
		await this.path.settled(1000, SETTLE_MS);
		const second = new Date().getSeconds(); /* our panel's clock ticks once a minute: the time in between is looked at */
		if (second + seconds > 57 || second < 2)
			await sleep((62 - second) % 60 * 1000);
		await this.path.mark();
		const woken = Object.entries(this.processes).map(([what, pids]) => [what, wakeups(pids)]), cpu = cpuMs(this.pids());
		await sleep(seconds * 1000);
		const { down, up } = await this.path.count();
		return { seconds, down, up, cpu: cpuMs(this.pids()) - cpu, wakeups: Object.fromEntries(woken.map(([what, n]) => [what, wakeups(this.processes[what]) - n])) };
	}

	/** The same wire on a slow path. @param {{ name: string, delayMs?: number, kbit?: number }} network */
	async network(network) {
		await this.path.slow(network);
		await sleep(300);
		try {
			const still = await this.latency(this.plan.networkKeys), page = await this.#operate({ name: 'page', steps: 1, looks: true });
			const clip = await this.play('clip', this.plan.networkSeconds);
			const loaded = await this.play('movie', this.plan.networkSeconds, { keys: Math.max(4, Math.round(this.plan.networkSeconds * 5)) });
			return { still, page, clip, loaded };
		} finally {
			await this.path.slow({});
			await this.path.settled(400, SETTLE_MS);
		}
	}

	memory() {
		return memory(this.processes.session);
	}
}

/** Everything on one wire. @param {any} wire @param {any} plan @param {{ width: number, height: number }} size */
export async function measure(wire, plan, size) {
	const scope = new Scope(), ends = performance.now() + plan.wireSeconds * 1000, result = { networks: {} }, isFull = wire.isOurs || plan.fullPeers.includes(wire.name);
	/* A wire that takes much longer than others must not take their time: what would come too late is left out. */
	const part = async (name, isWanted, take) => {
		if (isWanted && performance.now() < ends + SLACK_MS)
			result[name] = await take();
	};
	try {
		const m = new Measurement(await wire.open({ size, scope }), plan, size);
		scope.add(() => m.probe?.close());
		await m.prepare();
		result.connectMs = m.connectMs;
		result.pictureMs = m.pictureMs;
		result.restless = m.restless;
		result.operations = m.restless ? {} : await m.operations(ends - plan.wireSeconds * 600);
		await part('latency', plan.keys, () => m.latency(isFull ? plan.keys : plan.peerKeys));
		await part('clip', plan.clipSeconds, () => m.play('clip', plan.clipSeconds));
		await part('mixed', plan.mixedKeys, () => m.play('clip', 1.5 + plan.mixedKeys * 0.07, { keys: plan.mixedKeys }));
		await part('movie', plan.movieSeconds && isFull, () => m.play('movie', plan.movieSeconds));
		await part('idle', plan.idleSeconds, () => m.idle(plan.idleSeconds));
		for (const network of isFull ? plan.networks : [])
			if (wire.isOurs || network.hasPeers)
				result.networks[network.name] = await m.network(network);
		result.memory = m.memory();
		if (!m.processes.session.some(nameOf))
			throw new Error('its server has ended meanwhile');
	} finally {
		await scope.close();
	}
	const connecting = wire.isOurs && plan.networks.find((network) => network.isConnecting);
	if (connecting)
		Object.assign(result.networks[connecting.name], await connect(wire, connecting, size));
	return result;
}

/** What each operation costs an X server that nobody looks at. @param {any} plan @param {{ width: number, height: number }} size */
export async function measureAlone(plan, size) {
	const scope = new Scope();
	try {
		const { at, server } = await screen(size, scope), painter = await Painter.onDisplay(at, size), path = await Path.to(1);
		scope.add(() => painter.close());
		scope.add(() => path.close());
		const m = new Measurement({ painter, path, processes: { screen: [server.pid] }, isAlone: true }, { ...plan, rounds: 2, quietMs: 100 }, size);
		return { title: 'an X server that nobody looks at', operations: await m.operations(Infinity) };
	} finally {
		await scope.close();
	}
}

/** The log-in to the first picture once more, on a slow path. */
async function connect(wire, network, size) {
	const scope = new Scope();
	try {
		const { connectMs, pictureMs } = await wire.open({ size, scope, how: network });
		return { connectMs, pictureMs };
	} finally {
		await scope.close();
	}
}
