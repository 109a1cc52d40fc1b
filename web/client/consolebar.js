// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The bar under a machine's own screen, for administrators: says which machine it is and who is at its desktop, sends Ctrl+Alt+Del, and changes between the machine's
 * console and the session of whoever is connected, in the same place and without a new log-in.
 */

import { api } from '../shared/api.js';
import { setText } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { Live } from '../shared/live.js';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** The desktop's session can be looked at: its agent is there, and somebody is connected. @param {any} d */
export function canSeeSession(d) {
	return Boolean(d && d.agent === 'ready' && d.session === 'connected' && d.session_id);
}

/**
 * @typedef {object} BarHost
 * @property {(sight: 'console' | 'session', sessionId: string) => Promise<string>} show '' or why not
 * @property {() => void} sendKeys Ctrl+Alt+Del
 * @property {(text: string) => void} toast
 * @property {() => void} focus gives the keyboard back to the screen
 */

export class ConsoleBar {
	/** @param {string} id of the desktop @param {BarHost} host */
	constructor(id, host) {
		this.id = id;
		this.host = host;
		/** @type {any} */
		this.desktop = null;
		this.isViewOnly = false;
		/** @type {'console' | 'session'} */
		this.sight = 'console';
		this.live = new Live();
		this.live.on('desktop', (change) => {
			if (change.id === this.id)
				this.#learn(change.object);
		});
		this.live.on('reset', () => void this.read());
		$('see-console').addEventListener('click', () => void this.#see('console'));
		$('see-session').addEventListener('click', () => void this.#see('session'));
		$('send-cad').addEventListener('click', () => {
			this.host.sendKeys();
			this.host.focus();
		});
		document.body.classList.add('is-console');
		$('console-bar').hidden = false;
	}

	start() {
		void this.read();
		this.live.start();
	}

	/** The name is asked for once; later the stream tells. */
	async read() {
		const answer = await api('GET', `/desktops/${encodeURIComponent(this.id)}`).catch(() => null);
		if (answer)
			this.#learn(answer.data);
	}

	/** @param {any} object null: the desktop is no more */
	#learn(object) {
		this.desktop = object;
		this.repeat();
	}

	/** Says everything anew: something has changed, or the language. */
	repeat() {
		const { desktop: d, sight } = this;
		const isConnected = d?.session === 'connected' && d.user;
		setText($('console-name'), t(sight === 'console' ? 'console.of' : 'console.sessionOf', { name: d?.name ?? '…', user: d?.user?.name ?? '' }));
		setText($('console-present'), isConnected ? t('console.present', { user: d.user.name }) : d ? t('console.nobody') : '');
		$('see-console').setAttribute('aria-pressed', String(sight === 'console'));
		$('see-session').setAttribute('aria-pressed', String(sight === 'session'));
		$('see-session').disabled = sight !== 'session' && !canSeeSession(d);
		$('see-session').title = canSeeSession(d) ? '' : t('console.noSession');
		$('send-cad').hidden = this.isViewOnly;
	}

	/** @param {boolean} isViewOnly */
	setViewOnly(isViewOnly) {
		this.isViewOnly = isViewOnly;
		this.repeat();
	}

	/** What is seen now, whoever has changed it. @param {'console' | 'session'} sight */
	setSight(sight) {
		this.sight = sight;
		this.repeat();
	}

	/** @param {'console' | 'session'} sight */
	async #see(sight) {
		if (sight !== this.sight) {
			const problem = await this.host.show(sight, this.desktop?.session_id ?? '');
			if (problem)
				this.host.toast(problem);
		}
		this.host.focus();
	}
}
