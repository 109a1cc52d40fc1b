// SPDX-License-Identifier: GPL-3.0-or-later
/** A button that opens a small menu: arrow keys, Home, End and Esc as everywhere. The list lies above the page, so that no card cuts it off. */

import { h } from './dom.js';
import { icon } from './icons.js';

/** @typedef {{label: string, icon: import('./icons.js').IconName, isDanger?: boolean, href?: string, isNewTab?: boolean, run?: () => void}} MenuItem */

/** @param {MenuItem} item @param {() => void} close */
function itemOf(item, close) {
	const props = { role: 'menuitem', tabindex: '-1', class: `menu-item${item.isDanger ? ' danger' : ''}` };
	if (item.href)
		return h('a', { ...props, href: item.href, target: item.isNewTab ? '_blank' : null, rel: item.isNewTab ? 'noopener' : null, on: { click: close } },
			icon(item.icon), item.label);
	return h('button', { ...props, type: 'button', on: { click: () => {
		close();
		item.run?.();
	} } }, icon(item.icon), item.label);
}

const GAP = 6;

/** Below the button and flush with its right edge; above, or further left or right, where there is no room. @param {HTMLElement} button @param {HTMLElement} list */
function place(button, list) {
	const at = button.getBoundingClientRect();
	const { innerWidth: width, innerHeight: height } = window;
	const left = Math.max(GAP, Math.min(at.right - list.offsetWidth, width - list.offsetWidth - GAP));
	const isAbove = at.bottom + GAP + list.offsetHeight > height && at.top > height - at.bottom;
	list.style.left = `${left}px`;
	list.style.top = `${Math.max(GAP, isAbove ? at.top - GAP - list.offsetHeight : at.bottom + GAP)}px`;
}

/**
 * @param {import('./dom.js').Child[]} face what the button shows @param {string} label @param {() => MenuItem[]} items asked for at each opening
 * @param {string} [className]
 */
export function menuButton(face, label, items, className = '') {
	const list = h('div', { class: 'menu-list card', role: 'menu', 'aria-label': label, popover: 'manual' });
	let isOpen = false;
	const button = h('button', { type: 'button', class: className, 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': label, title: label }, face);
	const root = h('div', { class: 'menu' }, button, list);

	const follow = () => place(button, list);
	const away = (/** @type {PointerEvent} */ e) => !root.contains(/** @type {Node} */ (e.target)) && close(false);
	/** @param {boolean} isBack whether the focus returns to the button */
	const close = (isBack) => {
		if (!isOpen)
			return;
		isOpen = false;
		list.hidePopover();
		document.removeEventListener('pointerdown', away);
		window.removeEventListener('scroll', follow, true);
		window.removeEventListener('resize', follow);
		button.setAttribute('aria-expanded', 'false');
		if (isBack)
			button.focus();
		root.dispatchEvent(new CustomEvent('menuclosed', { bubbles: true }));
	};
	/** @param {number} at */
	const open = (at) => {
		list.replaceChildren(...items().map((item) => itemOf(item, () => close(true))));
		list.showPopover();
		isOpen = true;
		place(button, list);
		document.addEventListener('pointerdown', away);
		window.addEventListener('scroll', follow, true);
		window.addEventListener('resize', follow);
		button.setAttribute('aria-expanded', 'true');
		/** @type {HTMLElement | undefined} */ ([...list.children].at(at))?.focus({ preventScroll: true });
	};
	/** @param {number} step */
	const move = (step) => {
		const all = /** @type {HTMLElement[]} */ ([...list.children]);
		const now = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
		all[(now + step + all.length) % all.length]?.focus();
	};

	button.addEventListener('click', () => isOpen ? close(true) : open(0));
	root.addEventListener('keydown', (e) => {
		if (!isOpen) {
			if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
				e.preventDefault();
				open(e.key === 'ArrowDown' ? 0 : -1);
			}
			return;
		}
		/** @type {Record<string, () => void>} */
		const keys = { ArrowDown: () => move(1), ArrowUp: () => move(-1), Escape: () => close(true), Tab: () => close(false),
			Home: () => /** @type {HTMLElement} */ (list.firstElementChild)?.focus(), End: () => /** @type {HTMLElement} */ (list.lastElementChild)?.focus() };
		if (!keys[e.key])
			return;
		if (e.key !== 'Tab')
			e.preventDefault();
		keys[e.key]();
	});
	root.addEventListener('focusout', (e) => {
		if (isOpen && !root.contains(/** @type {Node | null} */ (e.relatedTarget)) && e.relatedTarget)
			close(false);
	});
	return root;
}
