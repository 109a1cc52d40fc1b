// SPDX-License-Identifier: GPL-3.0-or-later
/** Clipboard text between the browser and the desktop, without a side panel, as far as the browser lets us. */

/**
 * @typedef {object} ClipboardHost
 * @property {(text: string) => void} send to the desktop
 * @property {(key: string) => void} say a sentence of i18n for people
 */

export class Clipboard {
	/** @param {ClipboardHost} host */
	constructor(host) {
		this.host = host;
		this.isInAllowed = false;
		this.isOutAllowed = false;
		/** Last text of the desktop and last text that it has from us. */
		this.fromDesktop = '';
		this.toDesktop = '';
		this.isPending = false;
		this.hasComplained = false;
	}

	/** @param {boolean} isInAllowed @param {boolean} isOutAllowed */
	allow(isInAllowed, isOutAllowed) {
		this.isInAllowed = isInAllowed;
		this.isOutAllowed = isOutAllowed;
		this.toDesktop = '';
	}

	/** The user pasted, or gave us text in the dialog. @param {string} text */
	give(text) {
		if (!this.isInAllowed) {
			this.host.say('clipboard.inForbidden');
			return;
		}
		if (text === this.toDesktop)
			return;
		this.toDesktop = text;
		this.host.send(text);
	}

	/** The desktop copied. @param {string} text */
	async take(text) {
		this.fromDesktop = text;
		this.toDesktop = text;
		this.isPending = true;
		await this.write(false);
	}

	/**
	 * Tries to put the desktop's text into the browser's clipboard: at once, and again at the next touch of a key or button.
	 * @param {boolean} isGesture a key or button is being pressed: a refusal now is meant
	 */
	async write(isGesture) {
		if (!this.isPending)
			return;
		if (!navigator.clipboard?.writeText) {
			this.#complain('clipboard.unavailable');
			return;
		}
		try {
			await navigator.clipboard.writeText(this.fromDesktop);
			this.isPending = false;
		} catch {
			// Without focus or a fresh gesture browsers refuse (Firefox always): wait for the next one.
			if (isGesture && document.hasFocus())
				this.#complain('clipboard.outDenied');
		}
	}

	/** Reads the browser's clipboard where the user has allowed that before; never asks. */
	async read() {
		if (!this.isInAllowed || !navigator.clipboard?.readText || this.isPending)
			return;
		try {
			const permission = await navigator.permissions.query({ name: /** @type {any} */ ('clipboard-read') });
			if (permission.state === 'granted' && document.hasFocus())
				this.give(await navigator.clipboard.readText());
		} catch { /* browsers without this permission paste by the keyboard */ }
	}

	/** @param {string} key */
	#complain(key) {
		if (this.hasComplained)
			return;
		this.hasComplained = true;
		this.host.say(key);
	}
}
