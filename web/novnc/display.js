// SPDX-License-Identifier: GPL-3.0-or-later
/** A display by noVNC: takes the session's commands and gives its events, as the client's own display does. */

export class Display {
	/**
	 * @param {HTMLElement} place where noVNC puts its canvas
	 * @param {any} RFB noVNC's class of that name
	 * @param {(event: any) => void} emit
	 */
	constructor(place, RFB, emit) {
		this.place = place;
		this.RFB = RFB;
		this.emit = emit;
		/** @type {any} */
		this.rfb = null;
	}

	/** @param {any} command of the session */
	post(command) {
		if (command.type === 'connect')
			this.#connect(command);
		else if (command.type === 'close')
			this.#close();
	}

	/** The socket is made here, since noVNC tells neither the code nor the words with which the gateway closes it. @param {{url: string, ticket: string}} command */
	#connect({ url, ticket }) {
		this.#close();
		const address = new URL(url);
		address.searchParams.set('ticket', ticket);
		const socket = new WebSocket(address);
		const rfb = new this.RFB(this.place, socket);
		this.rfb = rfb;
		rfb.scaleViewport = true;
		rfb.resizeSession = true;
		/** What an earlier connection still says is of no interest. @param {any} event */
		const tell = (event) => rfb === this.rfb && this.emit(event);
		socket.addEventListener('close', ({ code, reason }) => tell({ type: 'closed', code, reason }));
		rfb.addEventListener('connect', () => tell({ type: 'first' }));
		rfb.addEventListener('desktopname', (/** @type {any} */ e) => tell({ type: 'hello', user: '', desktop: e.detail.name }));
		rfb.addEventListener('clipboard', (/** @type {any} */ e) => tell({ type: 'clipboard', text: e.detail.text }));
		rfb.addEventListener('bell', () => tell({ type: 'bell' }));
	}

	#close() {
		const { rfb } = this;
		this.rfb = null;
		rfb?.disconnect();
	}

	focus() {
		this.rfb?.focus({ preventScroll: true });
	}

	/** noVNC lets go of all keys when the window is left; it is told so when the focus goes elsewhere on the page. */
	releaseKeys() {
		window.dispatchEvent(new Event('blur'));
	}

	/** @param {string} text */
	paste(text) {
		this.rfb?.clipboardPasteFrom(text);
	}

	sendCtrlAltDel() {
		this.rfb?.sendCtrlAltDel();
	}
}
