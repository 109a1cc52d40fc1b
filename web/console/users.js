// SPDX-License-Identifier: GPL-3.0-or-later
/** Users: accounts, passwords, groups and what they may open. */

import { api } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { accessCard } from './access.js';
import { explainForm } from './explain.js';
import { byName } from './list.js';
import { go, href } from './router.js';
import { act, choices, formDialog, link, live, look, part, yesNo } from './site.js';
import { personalCard } from './personal.js';
import { tokensCard } from './tokens.js';

/** @returns {import('../shared/form.js').Field[]} */
function fields() {
	return [{ name: 'name', label: t('field.name'), isRequired: true, maxLength: 64, help: t('users.nameHelp') }, { name: 'display_name', label: t('field.displayName'), maxLength: 64 },
		{ name: 'role', label: t('users.role'), type: 'select', options: [['user', t('users.role.user')], ['admin', t('users.role.admin')]] },
		{ name: 'locale', label: t('users.locale'), type: 'select', options: [['', t('users.localeAny')], ['es', 'Español'], ['en', 'English']] }];
}

/** @param {string} name @returns {import('../shared/form.js').Field} */
const password = (name) => ({ name, label: t('users.password'), type: 'password', autocomplete: 'new-password', minLength: 8, maxLength: 256, help: t('users.passwordHelp') });

function create() {
	formDialog({ title: t('users.create'), fields: [...fields(), password('password')], submit: t('users.create'), done: t('act.created'),
		run: ({ password: secret, ...values }) => api('POST', '/users', secret ? { ...values, password: secret } : values), after: (u) => go(href('users', u.id)) });
}

/** @param {any} u @returns {import('./site.js').Action[]} */
export function userActions(u) {
	const at = `/users/${part(u.id)}`;
	const change = (/** @type {any} */ values) => api('PATCH', at, values, { headers: { 'if-match': `"${u.rev}"` } });
	return [
		{ label: t('act.edit'), icon: 'edit', run: () => formDialog({ title: t('act.editName', { name: u.name }), fields: fields(), values: u, submit: t('act.save'), done: t('act.savedPlain'), run: change }) },
		{ label: t('users.setPassword'), icon: 'key', run: () => formDialog({ title: t('users.setPasswordOf', { name: u.name }), lead: t('users.setPasswordText'), fields: [{ ...password('password'), isRequired: true }],
			submit: t('users.setPassword'), done: t('users.passwordSet'), run: (values) => api('POST', `${at}/password`, values) }) },
		{ label: t(u.enabled ? 'act.disable' : 'act.enable'), icon: u.enabled ? 'pause' : 'check', isDanger: u.enabled, run: () => void act({ title: t(u.enabled ? 'users.disableTitle' : 'users.enableTitle', { name: u.name }),
			text: t(u.enabled ? 'users.disableText' : 'users.enableText'), action: t(u.enabled ? 'act.disable' : 'act.enable'), done: t('act.done'), isDanger: u.enabled, run: () => change({ enabled: !u.enabled }) }) },
		.../** @type {import('./site.js').Action[]} */ (u.reason?.code === 'blocked' ? [{ label: t('users.unlock'), icon: 'key', run: () => void act({ title: t('users.unlockTitle', { name: u.name }),
			text: t('users.unlockText'), action: t('users.unlock'), done: t('act.done'), run: () => api('POST', `${at}/unlock`, {}) }) }] : []),
		{ label: t('users.revoke'), icon: 'logout', isDanger: true, run: () => void act({ title: t('users.revokeTitle', { name: u.name }), text: t('users.revokeText'), action: t('users.revoke'), done: t('act.done'), isDanger: true,
			run: () => api('POST', `${at}/revoke`, {}) }) },
		{ label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('act.deleteName', { name: u.name }), text: t('users.deleteText'), action: t('act.delete'), done: t('act.deleted'), isDanger: true,
			run: () => api('DELETE', at) }) },
	];
}

/** @returns {import('./bulk.js').BulkAction[]} */
function bulkActions() {
	const enable = (/** @type {boolean} */ enabled) => (/** @type {any} */ u) => api('PATCH', `/users/${part(u.id)}`, { enabled });
	return [
		{ label: t('users.addGroup'), icon: 'groups', fits: () => true, text: t('users.groupAll'), done: t('act.done'), fields: [{ name: 'group', label: t('kind.group'), type: 'lookup', isRequired: true, look: look('groups') }],
			run: (u, { group }) => api('PUT', `/groups/${part(group)}/members/${part(u.id)}`) },
		{ label: t('act.enable'), icon: 'check', fits: (u) => !u.enabled, text: t('users.enableText'), done: t('act.done'), run: enable(true) },
		{ label: t('act.disable'), icon: 'pause', isDanger: true, fits: (u) => u.enabled, text: t('users.disableText'), done: t('act.done'), run: enable(false) },
	];
}

/** @returns {import('./list.js').ListKind} */
export function userList() {
	return {
		noun: 'users', kind: 'user', title: t('nav.users'), lead: t('users.lead'), empty: t('users.empty'), compare: byName, actions: userActions, isServerSearch: true, text: (u) => `${u.name} ${u.display_name}`, bulk: bulkActions(),
		create: [{ label: t('users.create'), icon: 'add', run: create }],
		columns: [
			{ label: t('field.name'), cell: (u) => u.name },
			{ label: t('field.displayName'), cell: (u) => u.display_name },
			{ label: t('field.state'), cell: (u) => chip(u.state) },
			{ label: t('users.role'), cell: (u) => t(`users.role.${u.role}`) },
			{ label: t('users.hasPassword'), cell: (u) => yesNo(u.has_password) },
			{ label: t('users.lastLogin'), cell: (u) => when(u.last_login) },
		],
	};
}

/** @param {any} user @param {import('./object.js').ObjectPage} page */
function groupsCard(user, page) {
	const list = h('ul', { class: 'rows' });
	const show = (/** @type {any} */ now) => fill(list, ...(now.groups?.length ? now.groups.map((/** @type {any} */ g) => h('li', {}, link('groups', g),
		h('button', { type: 'button', class: 'quiet', 'aria-label': t('groups.removeLabel', { user: now.name, group: g.name }), on: { click: () => void act({ title: t('groups.removeTitle', { user: now.name, group: g.name }),
			text: t('groups.removeText'), action: t('groups.remove'), done: t('act.done'), isDanger: true, run: () => api('DELETE', `/groups/${part(g.id)}/members/${part(now.id)}`), after: () => void page.load() }) } }, icon('trash'))))
		: [h('li', { class: 'faint' }, t('users.noGroups'))]));
	page.onChange(show);
	page.ends.push(live.on('group', () => void page.load()));
	const add = async () => formDialog({ title: t('users.addGroup'), fields: [{ name: 'group', label: t('kind.group'), type: 'select', isRequired: true, options: await choices('groups').catch(() => []) }], submit: t('users.addGroup'),
		done: t('act.done'), run: ({ group }) => api('PUT', `/groups/${part(group)}/members/${part(user.id)}`), after: () => void page.load() });
	return h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('nav.groups')), h('button', { type: 'button', on: { click: () => void add() } }, icon('add'), t('users.addGroup'))), list);
}

/** @returns {import('./object.js').ObjectKind} */
export function userPage() {
	return {
		noun: 'users', kind: 'user', list: t('nav.users'), actions: userActions, title: (u) => u.display_name ? `${u.display_name} (${u.name})` : u.name,
		summary: (u) => [[t('users.role'), t(`users.role.${u.role}`)], [t('users.hasPassword'), yesNo(u.has_password)], [t('users.locale'), u.locale === 'es' ? 'Español' : u.locale === 'en' ? 'English' : t('users.localeAny')],
			[t('users.lastLogin'), h('span', {}, when(u.last_login), u.last_remote ? h('span', { class: 'faint' }, ` · ${u.last_remote}`) : null)],
			[t('nav.desktops'), h('a', { href: href('desktops', '', '', { q: u.name }) }, t('users.desktops'))], [t('nav.events'), h('a', { href: href('events', '', '', { user: u.name }) }, t('users.events'))]],
		below: (u, page) => [groupsCard(u, page), accessCard('user', u, page), personalCard(u, page), tokensCard(u)],
		ask: (u) => explainForm({ user: u.name }),
	};
}
