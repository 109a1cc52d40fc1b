// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * One user's stay at a desktop, across reconnections: ask for a ticket, open the display, and when the network drops do it again, with words for
 * each step.
 *
 *   asking ──ticket──► connecting ──first frame──► live ──drop──► waiting ──► asking
 *      ├──────────────────────┴── refused, logged off, disconnected ──► ended
 *      ├── the desktop restarts, and comes back ──► asking
 *      └── the log-in has expired ──► waiting (for the user to log in)
 */

import { api, ApiError, problemText, sleep } from '../shared/api.js';
import { t, pick, language } from '../shared/i18n.js';
import { END_RESTART } from './protocol.js';

const BACKOFF_MS = [400, 1000, 2000, 4000, 8000];
const POLL_MAX_MS = 5000;
/** Tickets go stale in a minute; nothing painted by then means a new try. */
const FIRST_PICTURE_MS = 45000;
const CLOSED_FOR_GOOD = new Set([4403, 4410]);
/** Something failed on the server: its words say what, while the client tries again. */
const FAILED = 1011;
const GIVE_UP_MS = 1500;

/** @typedef {'asking' | 'connecting' | 'live' | 'waiting' | 'ended'} State */

/**
 * @typedef {object} SessionHost
 * @property {(command: any) => void} post to the display
 * @property {() => {width: number, height: number, scale: number}} screen the size that the desktop should have
 * @property {(state: State, title: string, text: string, countdown: string) => void} show
 * @property {() => void} loginNeeded the browser's log-in has expired: after the next one, call start()
 * @property {(name: string) => void} named the desktop's name is known
 * @property {(sight: 'console' | 'session') => void} [sees] which of a machine's screens is shown, on the page of a console
 */

export class Session {
	/** @param {string} pool @param {SessionHost} host @param {{protocol?: 'web' | 'novnc', forceNoVideo?: boolean, forceHalfColour?: boolean, view?: boolean, watch?: string, console?: string, look?: boolean}} [options]
	 *   view: one more view of the user's own session; watch: the session that an administrator watches, without a pool; console: the desktop whose machine's
	 *   own screen he sees, look: without keys and pointer */
	constructor(pool, host, options = {}) {
		this.pool = pool;
		this.host = host;
		this.options = options;
		/** @type {State} */
		this.state = 'asking';
		this.tries = 0;
		this.hadPicture = false;
		this.isRestarting = false;
		/** On the page of a console: that, or the session of whoever is connected. @type {'console' | 'session'} */
		this.sight = 'console';
		this.watched = '';
		/** The last picture stays until the next one is there: no words over it. */
		this.isSwitching = false;
		/** @type {{code: number, en: string, es: string} | null} */
		this.end = null;
		this.desktop = { id: '', name: '' };
		this.user = '';
		this.abort = new AbortController();
		this.timer = 0;
		/** The last sentences, so that a change of language can repeat them. @type {() => string[]} */
		this.words = () => ['', ''];
	}

	/** @param {State} state @param {() => string[]} words title, text and, where one runs, the countdown */
	#show(state, words) {
		this.state = state;
		this.words = words;
		if (state !== 'connecting')
			this.isSwitching = false;
		if (!this.isSwitching)
			this.repeat();
	}

	repeat() {
		const [title, text, countdown = ''] = this.words();
		this.host.show(this.state, title, text, countdown);
	}

	async start() {
		this.abort.abort();
		this.abort = new AbortController();
		this.end = null;
		clearTimeout(this.timer);
		const { signal } = this.abort;
		try {
			this.#join(await this.#askForTicket(signal));
		} catch (reason) {
			if (!signal.aborted)
				this.#refused(/** @type {Error} */ (reason));
		}
	}

	/** The display is opened, in place of another one if there is one. @param {any} answer a ticket */
	#join(answer) {
		this.desktop = answer.desktop ?? this.desktop;
		if (this.desktop.name)
			this.host.named(this.desktop.name);
		this.#show('connecting', () => [t('stage.connect'), '']);
		if (this.options.console)
			this.host.sees?.(this.sight);
		const url = new URL(answer.websocket ?? '/display', location.href);
		url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
		this.host.post({ type: 'connect', url: url.href, ticket: answer.ticket, ...this.host.screen(), isSpanish: language() === 'es', ...this.options });
		clearTimeout(this.timer);
		this.timer = /** @type {any} */ (setTimeout(() => this.#drop(), FIRST_PICTURE_MS));
	}

	/**
	 * On the page of a console: the machine's own screen, or the session of whoever is connected. What is refused changes nothing.
	 * @param {'console' | 'session'} sight @param {string} watched the session @returns {Promise<string>} '' or why not
	 */
	async see(sight, watched = '') {
		const before = [this.sight, this.watched];
		[this.sight, this.watched] = [sight, watched];
		if (this.state !== 'live') {
			void this.start();
			return '';
		}
		try {
			const { data } = await this.#askOnce(this.abort.signal);
			this.isSwitching = true;
			this.#join(data);
			return '';
		} catch (reason) {
			[this.sight, this.watched] = /** @type {['console' | 'session', string]} */ (before);
			return reason instanceof ApiError ? problemText(reason) : /** @type {Error} */ (reason).message;
		}
	}

	/** Repeats until the desktop is there. @param {AbortSignal} signal */
	async #askForTicket(signal) {
		const first = this.options.console ? 'stage.console' : this.isRestarting ? 'stage.restart' : this.hadPicture ? 'stage.again' : 'stage.ask';
		this.#show('asking', () => [t(first), '']);
		for (;;) {
			const { status, data } = await this.#askOnce(signal);
			if (status === 200)
				return data;
			const stage = ['queue', 'create', 'start', 'agent'].includes(data.stage) ? data.stage : 'queue';
			const key = stage === 'queue' && data.position ? 'stage.position' : stage === 'start' && this.isRestarting ? 'stage.restart' : `stage.${stage}`;
			this.#show('asking', () => [t(key, { position: data.position ?? '' }), key === 'stage.restart' ? '' : pick(data.reason)]);
			await sleep(Math.min(Math.max(data.retry_after_ms ?? 1000, 250), POLL_MAX_MS), signal);
		}
	}

	/** @param {AbortSignal} signal */
	#askOnce(signal) {
		const { protocol = 'web', view = false, console: machine = '', look = false } = this.options;
		const watch = machine && this.sight === 'session' ? this.watched : this.options.watch;
		if (machine && !watch)
			return api('POST', `/desktops/${encodeURIComponent(machine)}/console`, { can_input: !look }, { signal });
		if (watch)
			return api('POST', `/sessions/${encodeURIComponent(watch)}/watch`, {}, { signal });
		return api('POST', `/me/pools/${encodeURIComponent(this.pool)}/connect`, view ? { protocol, view } : { protocol }, { signal });
	}

	/** One of several viewers: the session is begun and ended elsewhere. */
	get isGuest() {
		return Boolean(this.options.view || this.options.watch || this.options.console);
	}

	/** @param {Error} reason */
	#refused(reason) {
		const error = reason instanceof ApiError ? reason : new ApiError(0, '', reason.message);
		const isPassing = error.status === 0 || error.status === 429 || error.status >= 500;
		if (isPassing) {
			this.#retry(error.retryAfterMs, error.message);
			return;
		}
		if (error.status === 401) {
			this.#show('waiting', () => [t('login.needed'), '']);
			this.host.loginNeeded();
			return;
		}
		this.hadPicture = false;
		this.#show('ended', () => [t('ended.failed'), problemText(error)]);
	}

	/** @param {number} atLeastMs @param {string} why */
	#retry(atLeastMs, why) {
		clearTimeout(this.timer);
		const wait = Math.max(BACKOFF_MS[Math.min(this.tries, BACKOFF_MS.length - 1)], atLeastMs);
		this.tries++;
		const until = performance.now() + wait;
		const words = () => {
			const seconds = Math.ceil((until - performance.now()) / 1000);
			const reason = navigator.onLine ? why || t('wait.cut') : t('wait.offline');
			return [t(this.hadPicture ? 'wait.title' : 'wait.titleFirst'), reason, seconds > 0 ? t('wait.next', { seconds }) : t('wait.now')];
		};
		const tick = () => {
			if (this.state !== 'waiting')
				return;
			if (performance.now() >= until) {
				this.start();
				return;
			}
			this.repeat();
			this.timer = /** @type {any} */ (setTimeout(tick, Math.min(1000, until - performance.now() + 5)));
		};
		this.#show('waiting', words);
		this.timer = /** @type {any} */ (setTimeout(tick, Math.min(1000, wait)));
	}

	#drop() {
		this.host.post({ type: 'close' });
		this.#retry(0, '');
	}

	/** The network is back, or the user says so: no reason to wait. */
	hurry() {
		if (this.state === 'waiting')
			this.start();
	}

	/** The user leaves before there is a desktop: the place in the queue goes to the next one. */
	async giveUp() {
		const isQueued = this.state === 'asking' || this.state === 'waiting';
		this.#stop();
		if (isQueued && !this.desktop.id && !this.isGuest)
			await api('DELETE', `/me/pools/${encodeURIComponent(this.pool)}/connect`, undefined, { signal: AbortSignal.timeout(GIVE_UP_MS) }).catch(() => {});
	}

	/** An event of the display. @param {any} event */
	onDisplay(event) {
		switch (event.type) {
		case 'hello':
			this.user = event.user;
			if (event.desktop && !this.desktop.name) {
				this.desktop.name = event.desktop;
				this.host.named(event.desktop);
			}
			break;
		case 'status':
			if (this.state === 'connecting')
				this.#show('connecting', () => [pick(event), '']);
			break;
		case 'surface':
			if (this.state === 'connecting')
				this.#show('connecting', () => [t('stage.picture'), '']);
			break;
		case 'first':
			this.#painted();
			break;
		case 'end':
			this.end = event;
			break;
		case 'closed':
			this.#closed(event);
			break;
		}
	}

	#painted() {
		if (this.state !== 'connecting')
			return;
		clearTimeout(this.timer);
		this.tries = 0;
		this.hadPicture = true;
		this.isRestarting = false;
		this.#show('live', () => ['', '']);
	}

	/** @param {{code: number, reason: string}} event */
	#closed(event) {
		if (this.state === 'ended' || this.state === 'waiting' || this.state === 'asking')
			return;
		const end = this.end;
		if (this.options.console && this.sight === 'session') {
			/* Whoever was there has left: the machine is still there. */
			this.sight = 'console';
			void this.start();
			return;
		}
		if (end?.code === END_RESTART) {
			this.isRestarting = true;
			this.start();
			return;
		}
		if (end && end.code === 0)
			this.#show('ended', () => [t('ended.title'), pick(end) || t('ended.loggedOff')]);
		else if (end)
			this.#show('ended', () => [t('ended.title'), pick(end)]);
		else if (CLOSED_FOR_GOOD.has(event.code))
			this.#show('ended', () => [t('ended.title'), event.reason]);
		else {
			this.#retry(0, event.code === FAILED ? event.reason : '');
			return;
		}
		this.#stop();
	}

	#stop() {
		clearTimeout(this.timer);
		this.hadPicture = this.isRestarting = false;
		this.abort.abort();
		this.host.post({ type: 'close' });
	}

	disconnect() {
		this.#stop();
		this.#show('ended', () => [t('ended.title'), t(this.options.console ? 'ended.consoleClosed' : this.isGuest ? 'ended.viewClosed' : 'ended.disconnected')]);
	}

	async logoff() {
		try {
			const { data } = this.desktop.id ? { data: null } : await api('GET', '/me/pools');
			const id = this.desktop.id || data.items.find((/** @type {any} */ p) => p.id === this.pool)?.desktop?.id;
			await api('POST', `/me/desktops/${encodeURIComponent(id)}/logoff`);
			this.#stop();
			this.#show('ended', () => [t('ended.title'), t('ended.loggedOff')]);
		} catch (reason) {
			return /** @type {Error} */ (reason).message;
		}
		return '';
	}
}
