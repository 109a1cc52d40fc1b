// SPDX-License-Identifier: GPL-3.0-or-later
/** What the console's pages share: the live stream, small pieces of text, and actions that ask first. */

import { api } from '../shared/api.js';
import { confirmAction, openDialog } from '../shared/dialog.js';
import { h } from '../shared/dom.js';
import { Form } from '../shared/form.js';
import { t } from '../shared/i18n.js';
import { Live } from '../shared/live.js';
import { toast } from '../shared/toast.js';
import { href } from './router.js';

export const live = new Live();

/** `isMore`: on the object's own page in the menu, behind the buttons. @typedef {{label: string, icon: import('../shared/icons.js').IconName, isDanger?: boolean, isPrimary?: boolean, isMore?: boolean, run: () => void}} Action */

/** kind of object in the API: noun in its paths @type {Record<string, string>} */
export const NOUNS = { pool: 'pools', desktop: 'desktops', session: 'sessions', image: 'images', datastore: 'datastores', provider: 'providers', user: 'users', group: 'groups', entitlement: 'entitlements' };

/** Every item of a list that is short by its nature; at most `max`. @param {string} path @param {number} [max] @returns {Promise<any[]>} */
export async function all(path, max = 1000) {
	const items = [];
	let cursor = '';
	do {
		const { data } = await api('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
		items.push(...data.items);
		cursor = data.next ?? '';
	} while (cursor && items.length < max);
	return items;
}

/** @param {string} text of an id in a path */
export const part = (text) => encodeURIComponent(text);

/** A link to an object, or a dash. @param {string} noun @param {{id: string, name: string} | null | undefined} to */
export function link(noun, to) {
	return to?.id ? h('a', { href: href(noun, to.id) }, to.name || to.id.slice(0, 8)) : h('span', { class: 'faint' }, '–');
}

/** @param {any} object */
export const nameOf = (object) => object.display_name || object.name;

/** How a pool's desktops divide. In the API, "assigned" counts those with a viewer too. @param {any} pool */
export function sharesOf(pool) {
	const { counts } = pool;
	return { suspended: 0, ...counts, used: counts.assigned, assigned: Math.max(0, counts.assigned - counts.connected) };
}

/** @param {boolean} is */
export const yesNo = (is) => t(is ? 'yes' : 'no');

/**
 * Asks, does, and says how it went.
 * @param {{title: string, text: string, action: string, done: string, isDanger?: boolean, run: () => Promise<unknown>, after?: () => void}} what
 */
export async function act(what) {
	if (!await confirmAction(what))
		return;
	toast(what.done, 'good');
	what.after?.();
}

/**
 * A form in a dialog.
 * @param {{title: string, lead?: string, isWide?: boolean, fields: import('../shared/form.js').Field[], values?: any, submit: string, done: string,
 *   check?: (values: any) => {field: string, text: string} | null, run: (values: any) => Promise<any>, after?: (answer: any) => void}} what
 */
export function formDialog(what) {
	const form = new Form({ ...what, onCancel: () => dialog.close(), onDone: (answer) => {
		dialog.close();
		toast(what.done, 'good');
		what.after?.(answer?.data);
	} });
	const dialog = openDialog(what.title, [what.lead ? h('p', { class: 'dialog-text' }, what.lead) : null, form.element], { isWide: what.isWide });
	form.focus();
}

/** For lookups: names with the displayed names beside them. @param {string} noun */
export function look(noun) {
	return async (/** @type {string} */ typed) => {
		const { data } = await api('GET', `/${noun}?limit=20${typed ? `&q=${part(typed)}` : ''}`);
		return data.items.map((/** @type {any} */ o) => [o.name, o.display_name && o.display_name !== o.name ? o.display_name : o.name]);
	};
}

/** For selects. @param {string} noun @returns {Promise<[string, string][]>} */
export async function choices(noun) {
	const items = await all(`/${noun}`, 400);
	return items.map((o) => [o.name, o.display_name && o.display_name !== o.name ? `${o.display_name} (${o.name})` : o.name]);
}
