// SPDX-License-Identifier: GPL-3.0-or-later
/** Words in Spanish and English. A page registers its sentences; elements carry `data-i18n` and, for attributes, `data-i18n-title` and the like. */

const STORED = 'puesto.language';

/** @typedef {'en' | 'es'} Language */

/** @type {Record<Language, Record<string, string>>} */
const sentences = { en: {}, es: {} };

/** @returns {Language} */
function choose() {
	const stored = localStorage.getItem(STORED);
	if (stored === 'en' || stored === 'es')
		return stored;
	for (const tag of navigator.languages ?? [navigator.language]) {
		if (/^es\b/i.test(tag))
			return 'es';
		if (/^en\b/i.test(tag))
			return 'en';
	}
	return 'en';
}

let current = choose();

/** @returns {Language} */
export function language() {
	return current;
}

/** @param {Language} next */
export function setLanguage(next) {
	localStorage.setItem(STORED, next);
	current = next;
	translate(document.documentElement);
	document.dispatchEvent(new CustomEvent('languagechange-puesto'));
}

/** Adds sentences: `{ key: [English, Spanish] }`. @param {Record<string, [string, string]>} added */
export function addSentences(added) {
	for (const [key, [en, es]] of Object.entries(added)) {
		sentences.en[key] = en;
		sentences.es[key] = es;
	}
}

/** @param {string} key @param {Record<string, string | number>} [values] fill `{name}` @returns {string} the key itself when it has no sentence */
export function t(key, values = {}) {
	const sentence = sentences[current][key] ?? sentences.en[key] ?? key;
	return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The one of two texts that fits the language. @param {{en?: string, es?: string} | null | undefined} pair */
export function pick(pair) {
	return (current === 'es' ? pair?.es : pair?.en) || pair?.en || pair?.es || '';
}

const ATTRIBUTES = ['title', 'aria-label', 'placeholder'];

/** Writes the sentences into an element and everything below it. @param {Element} root */
export function translate(root) {
	document.documentElement.lang = current;
	for (const element of [root, ...root.querySelectorAll('*')]) {
		const key = element.getAttribute('data-i18n');
		if (key)
			element.textContent = t(key);
		for (const attribute of ATTRIBUTES) {
			const name = element.getAttribute(`data-i18n-${attribute}`);
			if (name)
				element.setAttribute(attribute, t(name));
		}
	}
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function number(value, options = {}) {
	return new Intl.NumberFormat(current, options).format(value);
}
