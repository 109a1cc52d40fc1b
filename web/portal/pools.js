// SPDX-License-Identifier: GPL-3.0-or-later
/** Keeps the list of my pools fresh: often while something starts, seldom else, never while nobody looks. */

import { api, ApiError } from '../shared/api.js';

const FAST_MS = 1500;
const SLOW_MS = 5000;
const RETRY_FIRST_MS = 2000;
const RETRY_MAX_MS = 20000;
/** A page that nobody touches asks no more, so that the log-in can end by itself. */
const IDLE_MS = 10 * 60 * 1000;

const MOVING = new Set(['starting', 'creating', 'restarting', 'refreshing', 'logging_off', 'deleting']);

export class Pools {
	/** @param {(pools: any[] | null, problem: {error: ApiError, at: number} | null) => void} show @param {() => void} loginNeeded */
	constructor(show, loginNeeded) {
		this.show = show;
		this.loginNeeded = loginNeeded;
		/** @type {any[] | null} */
		this.items = null;
		this.isRunning = false;
		this.timer = 0;
		this.failures = 0;
		this.turn = 0;
		this.touched = Date.now();
		/** @type {Set<(pools: any[]) => void>} */
		this.watchers = new Set();
		for (const type of ['pointerdown', 'keydown', 'focus'])
			window.addEventListener(type, () => this.#touch(), { passive: true });
		document.addEventListener('visibilitychange', () => !document.hidden && this.#touch());
		window.addEventListener('online', () => this.hurry());
	}

	#touch() {
		const wasIdle = Date.now() - this.touched > IDLE_MS || (this.isRunning && !this.timer);
		this.touched = Date.now();
		if (wasIdle)
			this.hurry();
	}

	/** @param {(pools: any[]) => void} run called with each answer @returns {() => void} ends it */
	watch(run) {
		this.watchers.add(run);
		return () => void this.watchers.delete(run);
	}

	start() {
		this.isRunning = true;
		this.hurry();
	}

	stop() {
		this.isRunning = false;
		this.turn++;
		clearTimeout(this.timer);
	}

	/** Asks now. */
	hurry() {
		if (this.isRunning)
			void this.#ask();
	}

	/** @param {number} ms */
	#plan(ms) {
		clearTimeout(this.timer);
		this.timer = /** @type {any} */ (setTimeout(() => {
			this.timer = 0;
			if (!document.hidden && Date.now() - this.touched < IDLE_MS)
				void this.#ask();
		}, ms));
	}

	async #ask() {
		const turn = ++this.turn;
		clearTimeout(this.timer);
		this.timer = -1;
		try {
			const { data } = await api('GET', '/me/pools');
			if (turn !== this.turn)
				return;
			this.failures = 0;
			this.items = data.items;
			this.show(this.items, null);
			for (const run of [...this.watchers])
				run(data.items);
			const isMoving = data.items.some((/** @type {any} */ p) => MOVING.has(p.state) || MOVING.has(p.desktop?.state) || p.desktop?.task);
			this.#plan(isMoving ? FAST_MS : SLOW_MS);
		} catch (reason) {
			if (turn === this.turn)
				this.#failed(/** @type {ApiError} */ (reason));
		}
	}

	/** @param {ApiError} error */
	#failed(error) {
		if (error.status === 401) {
			this.stop();
			this.loginNeeded();
			return;
		}
		const ms = Math.max(error.retryAfterMs ?? 0, Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures++));
		this.show(this.items, { error, at: Date.now() + ms });
		this.#plan(ms);
	}
}
