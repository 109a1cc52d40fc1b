// SPDX-License-Identifier: GPL-3.0-or-later
/** Desktops: their axes in words, and what an admin can do with one. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { chip, stateWord } from '../shared/states.js';
import { when } from '../shared/time.js';
import { backupsCard } from './backups.js';
import { carries, learnCarried } from './carried.js';
import { byName } from './list.js';
import { facts } from './object.js';
import { placeRows } from './hosts.js';
import { operationActions, snapshotsCard, taskRows, taskWords } from './operations.js';
import { href } from './router.js';
import { act, choices, formDialog, link, part, yesNo } from './site.js';

const STATES = ['failed', 'unreachable', 'connected', 'disconnected', 'assigned', 'ready', 'creating', 'starting', 'restarting', 'refreshing', 'logging_off', 'suspended', 'stopped', 'busy', 'deleting'];
const AXES = ['lifecycle', 'power', 'agent', 'lease', 'session', 'hygiene', 'sleep'];

/** @param {any} d @param {string} name @param {import('../shared/icons.js').IconName} icon @param {boolean} isDanger @param {() => Promise<unknown>} run @returns {import('./site.js').Action} */
function asked(d, name, icon, isDanger, run) {
	return { label: t(`desktop.${name}`), icon, isDanger, run: () => void act({ title: t(`desktop.${name}Title`, { name: d.name }),
		text: `${t(`desktop.${name}Text`)}${d.user && isDanger ? ` ${t('desktop.userLoses', { user: d.user.name })}` : ''}`, action: t(`desktop.${name}`), done: t('act.asked'), isDanger, run }) };
}

/** @returns {import('../shared/form.js').Field} */
const messageField = () => ({ name: 'text', label: t('desktop.messageLabel'), type: 'textarea', isRequired: true, maxLength: 300 });

/** @param {any} d */
function message(d) {
	formDialog({ title: t('desktop.messageTitle', { name: d.name }), lead: t('desktop.messageText', { user: d.user?.name ?? '' }), submit: t('desktop.send'), done: t('desktop.sent'),
		fields: [messageField()],
		run: (values) => api('POST', `/desktops/${part(d.id)}/message`, values) });
}

/** @param {any} d @returns {import('./site.js').Action[]} */
export function desktopActions(d) {
	if (d.state === 'deleting' || d.lifecycle === 'deleted')
		return [];
	const at = `/desktops/${part(d.id)}`;
	const see = (/** @type {string} */ more) => void window.open(`/client/#console=${part(d.id)}${more}`, '_blank', 'noopener');
	/** @type {import('./site.js').Action[]} */
	const actions = carries(d, 'console') && d.power !== 'off' ? [{ label: t('desktop.console'), icon: 'window', run: () => see('') },
		{ label: t('desktop.consoleLook'), icon: 'eye', isMore: true, run: () => see('&look') }] : [];
	actions.push(asked(d, 'restart', 'refresh', Boolean(d.user), () => api('POST', `${at}/restart`, {})));
	if (d.user)
		actions.push(asked(d, 'logoff', 'logoff', true, () => api('POST', `${at}/logoff`, {})), { label: t('desktop.message'), icon: 'message', run: () => message(d) });
	actions.push(...operationActions(d), asked(d, 'refresh', 'images', true, () => api('POST', `${at}/refresh`, {})),
		asked(d, d.drain ? 'undrain' : 'drain', d.drain ? 'check' : 'pause', false, () => api('POST', `${at}/drain`, { drain: !d.drain })),
		asked(d, 'delete', 'trash', true, () => api('DELETE', at)));
	return actions;
}

/** @returns {import('./bulk.js').BulkAction[]} */
function bulkActions() {
	const isThere = (/** @type {any} */ d) => d.state !== 'deleting' && d.lifecycle !== 'deleted';
	const post = (/** @type {string} */ what) => (/** @type {any} */ d, /** @type {any} */ values) => api('POST', `/desktops/${part(d.id)}/${what}`, values);
	const loses = t('desktop.someLose');
	return [
		{ label: t('desktop.restart'), icon: 'refresh', isDanger: true, fits: isThere, text: `${t('desktop.restartText')} ${loses}`, run: post('restart') },
		{ label: t('desktop.logoff'), icon: 'logoff', isDanger: true, fits: (d) => isThere(d) && Boolean(d.user), text: `${t('desktop.logoffText')} ${loses}`, run: post('logoff') },
		{ label: t('desktop.message'), icon: 'message', fits: (d) => isThere(d) && Boolean(d.user), text: t('desktop.messageAll'), done: t('desktop.sent'), fields: [messageField()], run: post('message') },
		{ label: t('desktop.refresh'), icon: 'images', isDanger: true, fits: isThere, text: `${t('desktop.refreshText')} ${loses}`, run: post('refresh') },
		{ label: t('desktop.drain'), icon: 'pause', fits: (d) => isThere(d) && !d.drain, text: t('desktop.drainText'), done: t('act.done'), run: (d) => api('POST', `/desktops/${part(d.id)}/drain`, { drain: true }) },
		{ label: t('desktop.undrain'), icon: 'check', fits: (d) => isThere(d) && d.drain, text: t('desktop.undrainText'), done: t('act.done'), run: (d) => api('POST', `/desktops/${part(d.id)}/drain`, { drain: false }) },
		{ label: t('desktop.delete'), icon: 'trash', isDanger: true, fits: isThere, text: `${t('desktop.deleteText')} ${loses}`, run: (d) => api('DELETE', `/desktops/${part(d.id)}`) },
	];
}

/** @returns {import('./list.js').ListKind} */
export function desktopList() {
	void learnCarried();
	return {
		noun: 'desktops', kind: 'desktop', title: t('nav.desktops'), lead: t('desktops.lead'), empty: t('desktops.empty'), compare: byName, actions: desktopActions, bulk: bulkActions(),
		isServerSearch: true, text: (d) => `${d.name} ${d.user?.name ?? ''}`,
		columns: [
			{ label: t('kind.desktop'), cell: (d) => d.name },
			{ label: t('field.state'), cell: (d) => chip(d.state, 'desktop') },
			{ label: t('kind.user'), cell: (d) => link('users', d.user) },
			{ label: t('kind.pool'), cell: (d) => link('pools', d.pool) },
			{ label: t('field.why'), cell: (d) => pick(d.reason), class: 'wide-cell' },
			{ label: t('kind.image'), cell: (d) => d.image ? `${d.image.name} ${d.image_version}` : '–', class: 'tight-cell' },
		],
		filters: [
			{ name: 'state', label: t('filter.state'), options: STATES.map((s) => /** @type {[string, string]} */ ([s, stateWord(s, 'desktop')])), fits: (d, value) => d.state === value },
			{ name: 'pool', label: t('filter.pool'), options: () => choices('pools'), fits: (d, value) => d.pool?.name === value || d.pool?.id === value },
		],
	};
}

/** @param {any} d */
function axesTable(d) {
	return h('div', { class: 'card sheet' }, h('h2', {}, t('why.axes')), h('p', { class: 'faint' }, t('why.axesLead')),
		h('table', { class: 'axes' }, h('tbody', {}, AXES.map((axis) => h('tr', {}, h('th', { scope: 'row' }, t(`axis.${axis}`)), h('td', {}, h('code', {}, d[axis])), h('td', {}, t(`axis.${axis}.${d[axis]}`)))))));
}

/** @param {any} d */
function taskCard(d) {
	if (!d.task)
		return null;
	return h('div', { class: 'card sheet' }, h('h2', {}, t('why.task')), facts([[t('field.task'), taskWords(d.task)], [t('field.state'), t(`task.state.${d.task.state}`)], [t('field.attempts'), String(d.task.attempts)],
		[t('field.error'), d.task.error || '–']]));
}

/** Who looks at the machine's own screen, each with a button that ends it. @param {any} d @returns {[string, import('../shared/dom.js').Child][]} */
function consoleRows(d) {
	if (!d.consoles?.length)
		return [];
	const close = (/** @type {any} */ c) => void act({ title: t('desktop.consoleCloseTitle', { name: c.name }), text: t('desktop.consoleCloseText'), action: t('desktop.consoleClose'), done: t('act.done'),
		isDanger: true, run: () => api('DELETE', `/desktops/${part(d.id)}/consoles/${part(c.id)}`) });
	return [[t('desktop.console'), h('ul', { class: 'guests' }, ...d.consoles.map((/** @type {any} */ c) => h('li', {}, t(c.can_input ? 'desktop.consoleActs' : 'desktop.consoleLooks', { name: c.name }), ' ',
		when(c.since), ' ', h('button', { type: 'button', on: { click: () => close(c) } }, t('desktop.consoleClose')))))]];
}

/** @returns {import('./object.js').ObjectKind} */
export function desktopPage() {
	return {
		noun: 'desktops', kind: 'desktop', list: t('nav.desktops'), actions: desktopActions, title: (d) => d.name, prepare: learnCarried, passing: ['task', 'last_task', 'consoles'],
		summary: (d) => [...taskRows(d), ...consoleRows(d), [t('kind.user'), link('users', d.user)], [t('kind.pool'), link('pools', d.pool)], [t('kind.provider'), link('providers', d.provider)], ...placeRows(d), [t('kind.image'), link('images', d.image)],
			[t('field.version'), d.image_version], [t('axis.power'), t(`axis.power.${d.power}`)], [t('axis.agent'), t(`axis.agent.${d.agent}`)], [t('axis.hygiene'), t(`axis.hygiene.${d.hygiene}`)],
			[t('desktop.drain'), yesNo(d.drain)], [t('field.epoch'), String(d.epoch)],
			[t('nav.sessions'), h('a', { href: href('sessions', '', '', { state: '', q: d.name }) }, t('desktop.sessions'))]],
		below: (d, page) => [...snapshotsCard(d, page), ...backupsCard(d, page)],
		why: (d) => [axesTable(d), taskCard(d)],
	};
}
