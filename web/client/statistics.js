// SPDX-License-Identifier: GPL-3.0-or-later
/** The statistics overlay: totals of the display, once a second, as rates. */

import { t, number } from '../shared/i18n.js';
import { OP_NAMES } from './protocol.js';

const HISTORY = 60;

export class Statistics {
	/** @param {HTMLElement} box @param {() => Promise<any>} ask the display's totals */
	constructor(box, ask) {
		this.box = box;
		this.ask = ask;
		this.timer = 0;
		/** @type {{at: number, stats: any} | null} */
		this.before = null;
		/** @type {number[]} */
		this.rates = [];
	}

	get isOn() {
		return this.timer !== 0;
	}

	/** @param {boolean} on */
	toggle(on) {
		clearInterval(this.timer);
		this.timer = 0;
		this.box.hidden = !on;
		this.before = null;
		if (!on)
			return;
		this.timer = /** @type {any} */ (setInterval(() => this.#tick(), 1000));
		this.#tick();
	}

	async #tick() {
		const stats = await this.ask();
		if (!this.isOn)
			return;
		const at = performance.now();
		const before = this.before ?? { at: at - 1000, stats };
		const seconds = (at - before.at) / 1000;
		const kbps = (stats.bytes - before.stats.bytes) * 8 / 1000 / seconds;
		this.before = { at, stats };
		this.rates = [...this.rates, kbps].slice(-HISTORY);
		this.#paint(stats, (stats.frames - before.stats.frames) / seconds, kbps);
	}

	/** @param {number} kbps */
	static rate(kbps) {
		return kbps >= 1000 ? `${number(kbps / 1000, { maximumFractionDigits: 1 })} Mbit/s` : `${number(kbps, { maximumFractionDigits: 0 })} kbit/s`;
	}

	/** @param {any} stats @param {number} fps @param {number} kbps */
	#paint(stats, fps, kbps) {
		const ms = (/** @type {number} */ value) => `${number(value, { maximumFractionDigits: 1 })} ms`;
		const server = stats.server;
		/** @type {[string, string][]} */
		const rows = [
			['stats.rtt', ms(stats.rttMs)],
			['stats.fps', t('perSecond', { n: number(fps, { maximumFractionDigits: 0 }) })],
			['stats.rate', Statistics.rate(kbps)],
			['stats.decode', `${ms(stats.decodeMs)} + ${ms(stats.paintMs)}`],
			['stats.screen', `${stats.width} × ${stats.height}`],
			['stats.video', t(stats.video ? 'stats.webcodecs' : 'stats.noWebcodecs')],
			['stats.exact', t(stats.exact ? 'stats.isExact' : 'stats.isLossy')],
		];
		if (server) {
			rows.push(['stats.encode', ms(server.encodeUs / 1000)], ['stats.path', server.rateKbps ? Statistics.rate(server.rateKbps) : '–']);
			rows.push(...Statistics.#mix(server.mix));
		}
		const list = document.createElement('dl');
		for (const [key, value] of rows) {
			const term = document.createElement('dt');
			const data = document.createElement('dd');
			term.textContent = t(key);
			data.textContent = value;
			list.append(term, data);
		}
		this.box.replaceChildren(list, this.#spark());
	}

	/** @param {Record<string, {bytes: number, ops: number}>} mix @returns {[string, string][]} */
	static #mix(mix) {
		const total = OP_NAMES.reduce((sum, name) => sum + mix[name].bytes, 0);
		const shares = OP_NAMES.filter((name) => mix[name].bytes >= total / 200 && mix[name].ops > 0)
			.map((name) => `${name} ${number(mix[name].bytes / (total || 1), { style: 'percent' })}`);
		return [['stats.mix', shares.join(' · ') || '–']];
	}

	#spark() {
		const ns = 'http://www.w3.org/2000/svg';
		const svg = document.createElementNS(ns, 'svg');
		svg.setAttribute('viewBox', `0 0 ${HISTORY - 1} 100`);
		svg.setAttribute('preserveAspectRatio', 'none');
		svg.setAttribute('aria-hidden', 'true');
		const top = Math.max(...this.rates, 1);
		const line = document.createElementNS(ns, 'polyline');
		line.setAttribute('class', 'spark');
		line.setAttribute('points', this.rates.map((r, i) => `${HISTORY - this.rates.length + i},${97 - r / top * 94}`).join(' '));
		svg.append(line);
		return svg;
	}
}
