// SPDX-License-Identifier: GPL-3.0-or-later
/** Light, dark, or as the system says. theme.css holds the colours. */

const STORED = 'puesto.theme';

/** @typedef {'auto' | 'light' | 'dark'} Theme */

/** @returns {Theme} */
export function theme() {
	const stored = localStorage.getItem(STORED);
	return stored === 'light' || stored === 'dark' ? stored : 'auto';
}

/** @param {Theme} next */
export function setTheme(next) {
	localStorage.setItem(STORED, next);
	applyTheme();
}

/** Call once as early as the page can. */
export function applyTheme() {
	const now = theme();
	if (now === 'auto')
		document.documentElement.removeAttribute('data-theme');
	else
		document.documentElement.setAttribute('data-theme', now);
}
