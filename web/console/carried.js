// SPDX-License-Identifier: GPL-3.0-or-later
/** What the providers carry beyond making desktops, so that nothing is offered that cannot be done. */

import { all, live } from './site.js';

/** by the provider's id @type {Map<string, string[]>} */
const known = new Map();

/** Asks anew; what was known stays where there is no answer. */
export async function learnCarried() {
	const providers = await all('/providers', 400).catch(() => []);
	for (const p of providers)
		known.set(p.id, p.can ?? []);
}

live.on('provider', ({ id, object }) => void known.set(id, object?.can ?? []));

/** @param {any} desktop @param {string} what a word of the provider's `can` */
export function carries(desktop, what) {
	return known.get(desktop.provider?.id)?.includes(what) ?? false;
}
