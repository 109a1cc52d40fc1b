// SPDX-License-Identifier: GPL-3.0-or-later
/** Groups of users, and the list of who may use which pool. */

import { api } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { when } from '../shared/time.js';
import { accessCard, giveAccess, takeBack } from './access.js';
import { byName, newestFirst } from './list.js';
import { go, href } from './router.js';
import { act, choices, formDialog, link, look, nameOf, part } from './site.js';

/** @returns {import('../shared/form.js').Field[]} */
function fields() {
	return [{ name: 'name', label: t('field.name'), isRequired: true, maxLength: 64 }, { name: 'display_name', label: t('field.displayName'), maxLength: 64 }];
}

function create() {
	formDialog({ title: t('groups.create'), fields: fields(), submit: t('groups.create'), done: t('act.created'), run: (values) => api('POST', '/groups', values), after: (g) => go(href('groups', g.id)) });
}

/** @param {any} g @returns {import('./site.js').Action[]} */
export function groupActions(g) {
	const at = `/groups/${part(g.id)}`;
	return [{ label: t('act.edit'), icon: 'edit', run: () => formDialog({ title: t('act.editName', { name: nameOf(g) }), fields: fields(), values: g, submit: t('act.save'), done: t('act.savedPlain'),
		run: (values) => api('PATCH', at, values, { headers: { 'if-match': `"${g.rev}"` } }) }) },
		{ label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('act.deleteName', { name: nameOf(g) }), text: t('groups.deleteText'), action: t('act.delete'), done: t('act.deleted'), isDanger: true,
			run: () => api('DELETE', at) }) }];
}

/** @returns {import('./list.js').ListKind} */
export function groupList() {
	return {
		noun: 'groups', kind: 'group', title: t('nav.groups'), lead: t('groups.lead'), empty: t('groups.empty'), compare: byName, actions: groupActions, isServerSearch: true, text: (g) => `${g.name} ${g.display_name}`,
		create: [{ label: t('groups.create'), icon: 'add', run: create }],
		columns: [{ label: t('kind.group'), cell: (g) => g.name }, { label: t('field.displayName'), cell: (g) => g.display_name }, { label: t('groups.members'), cell: (g) => String(g.member_count ?? 0), class: 'number-cell' },
			{ label: t('field.updated'), cell: (g) => when(g.updated) }],
	};
}

/** @param {any} group @param {import('./object.js').ObjectPage} page */
function membersCard(group, page) {
	const list = h('ul', { class: 'rows' });
	let count = -1;
	page.onChange((now) => {
		if (count >= 0 && now.member_count !== now.members?.length && now.member_count !== count) {
			// The stream tells how many there are, not who.
			count = now.member_count;
			void page.load();
			return;
		}
		count = now.member_count;
		fill(list, ...(now.members?.length ? now.members.map((/** @type {any} */ u) => h('li', {}, link('users', u),
			h('button', { type: 'button', class: 'quiet', 'aria-label': t('groups.removeLabel', { user: u.name, group: now.name }), on: { click: () => void act({ title: t('groups.removeTitle', { user: u.name, group: now.name }),
				text: t('groups.removeText'), action: t('groups.remove'), done: t('act.done'), isDanger: true, run: () => api('DELETE', `/groups/${part(now.id)}/members/${part(u.id)}`), after: () => void page.load() }) } }, icon('trash'))))
			: [h('li', { class: 'faint' }, t('groups.nobody'))]));
	});
	const add = () => formDialog({ title: t('groups.add'), fields: [{ name: 'user', label: t('kind.user'), type: 'lookup', isRequired: true, look: look('users') }], submit: t('groups.add'), done: t('act.done'),
		run: ({ user }) => api('PUT', `/groups/${part(group.id)}/members/${part(user)}`), after: () => void page.load() });
	return h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('groups.members')), h('button', { type: 'button', on: { click: add } }, icon('add'), t('groups.add'))), list);
}

/** @returns {import('./object.js').ObjectKind} */
export function groupPage() {
	return {
		noun: 'groups', kind: 'group', list: t('nav.groups'), actions: groupActions, title: nameOf,
		summary: (g) => [[t('field.name'), g.name], [t('groups.members'), String(g.member_count ?? 0)]],
		below: (g, page) => [membersCard(g, page), accessCard('group', g, page)],
	};
}

/** @returns {import('./list.js').ListKind} */
export function accessList() {
	return {
		noun: 'entitlements', kind: 'entitlement', title: t('nav.entitlements'), lead: t('access.lead'), empty: t('access.empty'), compare: newestFirst,
		text: (e) => `${e.pool.name} ${e.user?.name ?? ''} ${e.group?.name ?? ''}`,
		bulk: [{ label: t('access.take'), icon: 'trash', isDanger: true, fits: () => true, text: t('access.takeAll'), done: t('access.taken'), run: (e) => api('DELETE', `/entitlements/${part(e.id)}`) }],
		actions: (e) => [{ label: t('access.take'), icon: 'trash', isDanger: true, run: () => takeBack(e) }],
		create: [{ label: t('access.give'), icon: 'add', run: () => void giveAccess({}) }],
		columns: [{ label: t('kind.pool'), cell: (e) => link('pools', e.pool) }, { label: t('access.who'), cell: (e) => link(e.user ? 'users' : 'groups', e.user ?? e.group) },
			{ label: t('field.kind'), cell: (e) => t(e.user ? 'kind.user' : 'kind.group') }, { label: t('access.since'), cell: (e) => when(e.created) }],
		filters: [{ name: 'pool', label: t('filter.pool'), options: () => choices('pools'), fits: (e, value) => e.pool?.name === value || e.pool?.id === value }],
	};
}
