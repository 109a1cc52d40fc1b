// SPDX-License-Identifier: GPL-3.0-or-later
/** Children that follow a list: one element for each key, kept (with its focus) as long as the key is there. */

/** @template T */
export class Keyed {
	/**
	 * @param {Element} parent
	 * @param {{key: (item: T) => string, create: (item: T) => HTMLElement, update?: (element: HTMLElement, item: T) => void}} how
	 *   without `update`, an element is made anew when its item is another object
	 */
	constructor(parent, how) {
		this.parent = parent;
		this.how = how;
		/** @type {Map<string, {element: HTMLElement, item: T}>} */
		this.known = new Map();
	}

	/** Makes every element anew at the next show, for instance in another language. */
	forget() {
		for (const { element } of this.known.values())
			element.remove();
		this.known.clear();
	}

	/** @param {string} key @param {T} item @returns {{element: HTMLElement, item: T}} */
	#element(key, item) {
		const { create, update } = this.how;
		const old = this.known.get(key);
		if (!old)
			return { element: create(item), item };
		if (update) {
			update(old.element, item);
			return { element: old.element, item };
		}
		// Whoever has a menu open is about to choose: the news waits until it is closed (see menu.js).
		if (old.item === item || old.element.querySelector(':popover-open'))
			return old;
		const element = create(item);
		keepFocus(old.element, element);
		return { element, item };
	}

	/** @param {T[]} items */
	show(items) {
		/** @type {Map<string, {element: HTMLElement, item: T}>} */
		const next = new Map();
		/** @type {Element | null} */
		let after = null;
		for (const item of items) {
			const key = this.how.key(item);
			if (next.has(key))
				continue;
			const { element, item: shown } = this.#element(key, item);
			next.set(key, { element, item: shown });
			/** @type {Element | null} */
			const wanted = after ? after.nextElementSibling : this.parent.firstElementChild;
			if (wanted !== element)
				this.parent.insertBefore(element, wanted);
			after = element;
		}
		for (const [key, { element }] of this.known) {
			if (next.get(key)?.element !== element)
				element.remove();
		}
		this.known = next;
	}
}

/** Swaps the elements where they stand; what had the focus has it again. @param {HTMLElement} from @param {HTMLElement} to */
export function keepFocus(from, to) {
	const active = document.activeElement;
	const at = active && from.contains(active) ? [...from.querySelectorAll('a, button, input, select, [tabindex]')].indexOf(active) : -1;
	const isSelf = active === from;
	from.replaceWith(to);
	if (isSelf)
		to.focus();
	else if (at >= 0)
		/** @type {HTMLElement | undefined} */ ([...to.querySelectorAll('a, button, input, select, [tabindex]')][at])?.focus();
}
