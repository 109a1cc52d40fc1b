// SPDX-License-Identifier: GPL-3.0-or-later
/** Times and durations in words. */

import { h } from './dom.js';
import { addSentences, language, t } from './i18n.js';

addSentences({
	'time.never': ['never', 'nunca'],
	'time.now': ['just now', 'ahora mismo'],
});

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['year', 31536000], ['month', 2592000], ['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];

/** @param {number} seconds in the past when negative */
function relative(seconds) {
	if (Math.abs(seconds) < 5)
		return t('time.now');
	const [unit, size] = UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1];
	return new Intl.RelativeTimeFormat(language(), { numeric: 'auto', style: 'short' }).format(Math.trunc(seconds / size), unit);
}

/** @param {string} text RFC 3339 */
export function exactTime(text) {
	return new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(text));
}

/** "3 min ago", with the exact time at hand. @param {string | null | undefined} text RFC 3339 */
export function when(text) {
	if (!text)
		return h('span', { class: 'faint' }, t('time.never'));
	return h('time', { datetime: text, title: exactTime(text) }, relative((Date.parse(text) - Date.now()) / 1000));
}

/** @param {number} seconds @returns {string} the two largest units */
export function duration(seconds) {
	/** @type {string[]} */
	const parts = [];
	let rest = Math.max(0, Math.round(seconds));
	for (const [unit, size] of UNITS) {
		const n = Math.floor(rest / size);
		rest %= size;
		if (n && parts.length < 2)
			parts.push(new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short' }).format(n));
	}
	return parts.join(' ') || new Intl.NumberFormat(language(), { style: 'unit', unit: 'second', unitDisplay: 'short' }).format(0);
}

/** "Ago" grows old: every time of the page is written anew now and then. */
export function keepTimesFresh() {
	setInterval(() => {
		for (const element of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll('time[datetime]')))
			element.textContent = relative((Date.parse(element.dateTime) - Date.now()) / 1000);
	}, 20000);
}
