// SPDX-License-Identifier: GPL-3.0-or-later
/** Places in the console: `#/noun`, `#/noun/id`, `#/noun/id/tab`, with filters behind `?`. */

/** @typedef {{noun: string, id: string, tab: string, query: URLSearchParams}} Route */

/** @returns {Route} */
export function route() {
	const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
	const [noun = '', id = '', tab = ''] = path.split('/').map((part) => {
		try {
			return decodeURIComponent(part);
		} catch {
			return part;
		}
	});
	return { noun: noun || 'dashboard', id, tab, query: new URLSearchParams(query) };
}

/** @param {string} noun @param {string} [id] @param {string} [tab] @param {Record<string, string>} [query] */
export function href(noun, id = '', tab = '', query = {}) {
	const path = [noun, id, tab].filter(Boolean).map(encodeURIComponent).join('/');
	const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
	return `#/${path}${text ? `?${text}` : ''}`;
}

/** @param {string} place as href() makes it */
export function go(place) {
	location.hash = place;
}

/** Writes the filters into the address without a new entry in the history. @param {string} place */
export function remember(place) {
	history.replaceState(history.state, '', place);
}
