// SPDX-License-Identifier: GPL-3.0-or-later
/** Who may use which pool: the list on the pages of a pool, a user and a group, and the dialog that gives access. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { act, all, choices, formDialog, link, live, look, part } from './site.js';

/** @param {any} entitlement */
const whoOf = (entitlement) => entitlement.user?.name ?? entitlement.group?.name ?? '';

/** @param {any} e @param {() => void} [after] */
export function takeBack(e, after) {
	void act({ title: t('access.takeTitle'), text: t('access.takeText', { who: whoOf(e), pool: e.pool.name }), action: t('access.take'), done: t('access.taken'), isDanger: true,
		run: () => api('DELETE', `/entitlements/${part(e.id)}`), after });
}

/** @param {{pool?: string, user?: string, group?: string}} known @param {() => void} [after] */
export async function giveAccess(known, after) {
	/** @type {import('../shared/form.js').Field[]} */
	const fields = [];
	if (!known.pool)
		fields.push({ name: 'pool', label: t('kind.pool'), type: 'select', isRequired: true, options: await choices('pools').catch(() => []) });
	if (!known.user && !known.group)
		fields.push({ name: 'user', label: t('kind.user'), type: 'lookup', look: look('users'), help: t('access.either') },
			{ name: 'group', label: t('kind.group'), type: 'lookup', look: look('groups') });
	formDialog({ title: t('access.give'), lead: t('access.giveLead'), fields, submit: t('access.give'), done: t('access.given'),
		check: ({ user = known.user, group = known.group }) => Boolean(user) === Boolean(group) ? { field: 'user', text: t('access.one') } : null,
		run: (values) => api('POST', '/entitlements', Object.fromEntries(Object.entries({ ...known, ...values }).filter(([, value]) => value))), after });
}

/** @param {any} e @param {string} about */
function row(e, about) {
	const what = about === 'pool' ? [link(e.user ? 'users' : 'groups', e.user ?? e.group), h('span', { class: 'faint' }, t(e.user ? 'kind.user' : 'kind.group'))] : [link('pools', e.pool)];
	return h('li', {}, ...what, h('button', { type: 'button', class: 'quiet', 'aria-label': t('access.takeLabel', { who: whoOf(e), pool: e.pool.name }), on: { click: () => takeBack(e) } }, icon('trash')));
}

/**
 * A card with the entitlements of one object, live as long as the page is.
 * @param {'pool' | 'user' | 'group'} about @param {any} object @param {{ends: (() => void)[]}} page
 */
export function accessCard(about, object, page) {
	const list = h('ul', { class: 'rows' });
	const load = async () => {
		try {
			const items = await all(`/entitlements?${about}=${part(object.id)}`);
			fill(list, ...(items.length ? items.map((e) => row(e, about)) : [h('li', { class: 'faint' }, t(about === 'pool' ? 'access.nobody' : 'access.nothing'))]));
		} catch (reason) {
			fill(list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	};
	page.ends.push(live.on('entitlement', () => void load()), live.on('reset', () => void load()));
	void load();
	return h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t(about === 'pool' ? 'access.who' : 'access.which')),
		h('button', { type: 'button', on: { click: () => void giveAccess({ [about]: object.name }) } }, icon('add'), t('access.give'))), list);
}
