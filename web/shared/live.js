// SPDX-License-Identifier: GPL-3.0-or-later
/** The live event stream: changed objects and audit events as they happen, and whether the stream stands. */

import { me } from './api.js';

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 15000;

/** @typedef {{kind: string, id: string, object: any | null}} Change */

export class Live {
	constructor() {
		/** @type {Set<{kind: string, run: (data: any) => void}>} */
		this.listeners = new Set();
		/** @type {EventSource | null} */
		this.source = null;
		/** @type {'off' | 'connecting' | 'open' | 'lost'} */
		this.state = 'off';
		this.failures = 0;
		this.timer = 0;
	}

	/**
	 * @param {string} kind of object, or `audit`, `reset` (load again) and `state` (of the stream) @param {(data: any) => void} run
	 * @returns {() => void} ends it
	 */
	on(kind, run) {
		const listener = { kind, run };
		this.listeners.add(listener);
		return () => void this.listeners.delete(listener);
	}

	/** @param {string} kind @param {any} data */
	#tell(kind, data) {
		for (const listener of [...this.listeners]) {
			if (listener.kind === kind)
				listener.run(data);
		}
	}

	/** @param {Live['state']} state */
	#enter(state) {
		if (this.state === state)
			return;
		const wasLost = this.state === 'lost';
		this.state = state;
		this.#tell('state', state);
		// What happened meanwhile is not known.
		if (state === 'open' && wasLost)
			this.#tell('reset', null);
	}

	start() {
		clearTimeout(this.timer);
		this.source?.close();
		const source = new EventSource('/api/v1/events/stream');
		this.source = source;
		if (this.state === 'off')
			this.#enter('connecting');
		source.addEventListener('open', () => {
			this.failures = 0;
			this.#enter('open');
		});
		source.addEventListener('change', (e) => {
			const change = JSON.parse(e.data);
			this.#tell(change.kind, change);
		});
		source.addEventListener('audit', (e) => this.#tell('audit', JSON.parse(e.data)));
		source.addEventListener('reset', () => this.#tell('reset', null));
		source.addEventListener('error', () => this.#failed());
	}

	stop() {
		clearTimeout(this.timer);
		this.source?.close();
		this.source = null;
		this.#enter('off');
	}

	/** A browser gives up after an answer that is no stream; then it is ours to try again, or to log in. */
	#failed() {
		if (!this.source)
			return;
		this.#enter('lost');
		this.source.close();
		const ms = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures++);
		clearTimeout(this.timer);
		this.timer = /** @type {any} */ (setTimeout(() => void this.#again(), ms));
	}

	async #again() {
		try {
			await me();
		} catch (reason) {
			if (/** @type {any} */ (reason).status === 401) {
				this.source = null;
				document.dispatchEvent(new CustomEvent('puesto-login-needed'));
				return;
			}
		}
		if (this.source)
			this.start();
	}
}
