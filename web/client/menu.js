// SPDX-License-Identifier: GPL-3.0-or-later
/** The toolbar at the top: opens on click or by Ctrl+Alt+Shift, arrow keys move in it, Escape closes it. */

export class Menu {
	/** @param {HTMLElement} root @param {() => void} onClosed give the keyboard back to the desktop */
	constructor(root, onClosed) {
		this.opener = /** @type {HTMLButtonElement} */ (root.querySelector('#menu-open'));
		this.items = /** @type {HTMLElement} */ (root.querySelector('#menu-items'));
		this.onClosed = onClosed;
		this.opener.addEventListener('click', () => this.toggle());
		root.addEventListener('keydown', (e) => this.#onKey(e));
		root.addEventListener('focusout', (e) => {
			if (this.isOpen && e.relatedTarget instanceof Node && !root.contains(e.relatedTarget))
				this.close(false);
		});
	}

	get isOpen() {
		return !this.items.hidden;
	}

	/** Those of the bar itself: a menu that hangs from it minds its own. */
	#buttons() {
		return /** @type {HTMLButtonElement[]} */ ([...this.items.querySelectorAll('button:not([hidden], [role=menuitem])')]);
	}

	toggle() {
		if (this.isOpen)
			this.close(true);
		else
			this.open();
	}

	open() {
		this.items.hidden = false;
		this.opener.setAttribute('aria-expanded', 'true');
		this.#buttons()[0]?.focus();
	}

	/** @param {boolean} givesBack */
	close(givesBack) {
		this.items.hidden = true;
		this.opener.setAttribute('aria-expanded', 'false');
		if (givesBack)
			this.onClosed();
	}

	/** @param {KeyboardEvent} e */
	#onKey(e) {
		if (e.defaultPrevented)
			return;
		const buttons = this.#buttons();
		const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
		const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
		if (e.key === 'Escape' && this.isOpen) {
			e.preventDefault();
			this.close(true);
		} else if (step && at >= 0) {
			e.preventDefault();
			buttons[(at + step + buttons.length) % buttons.length].focus();
		}
	}
}
