// SPDX-License-Identifier: GPL-3.0-or-later
/** Short messages at the lower edge, spoken by screen readers; they stand above dialogs. */

import { h } from './dom.js';
import { addSentences } from './i18n.js';
import { icon } from './icons.js';

const SHORT_MS = 4500;
const LONG_MS = 15000;
const TOASTS_MAX = 3;

addSentences({ 'toast.close': ['Close the message', 'Cerrar el mensaje'] });

/** @type {HTMLElement | null} */
let region = null;

function place() {
	region ??= document.body.appendChild(h('div', { class: 'toasts', popover: 'manual', role: 'status', 'aria-live': 'polite' }));
	// Shown anew, so that it lies above a dialog that was opened meanwhile.
	region.hidePopover();
	region.showPopover();
	return region;
}

/** @param {string} text @param {'plain' | 'good' | 'bad'} [tone] */
export function toast(text, tone = 'plain') {
	const home = place();
	const element = h('div', { class: `toast is-${tone}` },
		h('span', {}, text),
		h('button', { type: 'button', class: 'quiet', 'i18n-aria-label': 'toast.close', on: { click: () => element.remove() } }, icon('close')));
	while (home.children.length >= TOASTS_MAX)
		home.firstElementChild?.remove();
	home.append(element);
	setTimeout(() => {
		element.remove();
		if (!home.children.length)
			home.hidePopover();
	}, tone === 'bad' ? LONG_MS : SHORT_MS);
}
