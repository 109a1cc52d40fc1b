// SPDX-License-Identifier: GPL-3.0-or-later
/** What a desktop's provider may carry: power, sizes, moves, snapshots; and how such a task goes and went. */

import { api, problemText } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { Snapshots } from '../shared/snapshots.js';
import { chip } from '../shared/states.js';
import { toast } from '../shared/toast.js';
import { carries } from './carried.js';
import { act, formDialog, part } from './site.js';
import './words-hosts.js';
import './words-operations.js';

/** @param {any} d */
const at = (d) => `/desktops/${part(d.id)}`;

/** @param {any} d what becomes of the person who is there, in words */
const sentAway = (d) => d.session === 'connected' && d.user ? t('operation.sentAway', { user: d.user.name }) : '';

/** @param {any} d @param {'start' | 'stop' | 'suspend'} power @param {import('../shared/icons.js').IconName} icon @returns {import('./site.js').Action} */
function powerAction(d, power, icon) {
	const isDanger = power === 'stop' && Boolean(d.user);
	const loses = isDanger ? t('desktop.userLoses', { user: d.user.name }) : '';
	const text = [t(`operation.${power}Text`), power === 'start' ? '' : sentAway(d), loses].filter(Boolean).join(' ');
	return { label: t(`operation.${power}`), icon, isDanger, isMore: power === 'suspend', run: () => void act({ title: t(`operation.${power}Title`, { name: d.name }), text, action: t(`operation.${power}`),
		done: t('act.asked'), isDanger, run: () => api('POST', `${at(d)}/power`, { power }) }) };
}

/** @param {any} d */
function resize(d) {
	const size = (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ max) => ({ name, label, type: /** @type {const} */ ('number'), min: 1, max });
	formDialog({ title: t('operation.resizeTitle', { name: d.name }), lead: t('operation.resizeText'), submit: t('operation.resize'), done: t('act.asked'),
		fields: [size('disk_mb', t('spec.diskMb'), 67108864), size('memory_mb', t('spec.memoryMb'), 1048576), size('cpus', t('spec.cpus'), 1024)],
		check: (values) => Object.keys(values).length ? null : { field: 'disk_mb', text: t('operation.resizeOne') },
		run: (values) => api('POST', `${at(d)}/resize`, values) });
}

/** The other hosts that take desktops, the best one first; where they are not known, a name is typed. @param {any} d @returns {Promise<import('../shared/form.js').Field>} */
async function hostField(d) {
	const { data } = await api('GET', `/providers/${part(d.provider.id)}/hosts`);
	const open = data.items.filter((/** @type {any} */ host) => host.state === 'ready' && host.name !== d.placement?.host);
	if (data.items.length)
		return { name: 'host', label: t('operation.host'), type: 'select', options: [['', t('hosts.best')], ...open.map((/** @type {any} */ host) => [host.name, host.name])] };
	return { name: 'host', label: t('operation.host'), isRequired: true, maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]*$', help: t('operation.hostHelp') };
}

/** @param {any} d */
async function migrate(d) {
	const field = await hostField(d).catch((reason) => void toast(problemText(reason), 'bad'));
	if (!field)
		return;
	formDialog({ title: t('operation.migrateTitle', { name: d.name }), lead: t('operation.migrateText'), submit: t('operation.migrate'), done: t('act.asked'),
		fields: [field], run: (values) => api('POST', `${at(d)}/migrate`, values.host ? values : {}) });
}

/** Nothing while something else goes on: it would be refused. @param {any} d @returns {import('./site.js').Action[]} */
export function operationActions(d) {
	if (d.lifecycle !== 'live' || d.hygiene === 'cleaning' || d.task)
		return [];
	/** @type {import('./site.js').Action[]} */
	const actions = [];
	const isOff = d.parked || d.power === 'off';
	if (isOff && carries(d, 'power'))
		actions.push(powerAction(d, 'start', 'play'));
	if (!isOff && carries(d, 'power'))
		actions.push(powerAction(d, 'stop', 'stop'));
	if (!isOff && carries(d, 'suspend'))
		actions.push(powerAction(d, 'suspend', 'moon'));
	if (carries(d, 'snapshot'))
		actions.push({ label: t('snapshot.take'), icon: 'camera', isMore: true, run: () => snapshotsOf(d).take() });
	if (carries(d, 'resize'))
		actions.push({ label: t('operation.resize'), icon: 'resize', isMore: true, run: () => resize(d) });
	if (!isOff && carries(d, 'migrate'))
		actions.push({ label: t('operation.migrate'), icon: 'move', isMore: true, run: () => void migrate(d) });
	return actions;
}

/** @param {any} d @param {() => any} [now] the desktop as it is when asked */
function snapshotsOf(d, now = () => d) {
	return new Snapshots({ at: `${at(d)}/snapshots`, desktop: d.name, sent: () => sentAway(now()), asked: () => toast(t('act.asked'), 'good') });
}

/** The list is read again when a task has ended. @param {any} d @param {import('./object.js').ObjectPage} page @returns {HTMLElement[]} */
export function snapshotsCard(d, page) {
	if (!carries(d, 'snapshot'))
		return [];
	const snapshots = snapshotsOf(d, () => page.object);
	/** @type {string | undefined} */
	let seen = 'never';
	page.onChange((now) => {
		if (seen === now.last_task?.id)
			return;
		seen = now.last_task?.id;
		void snapshots.load();
	});
	return [h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('snapshot.title')), snapshots.taker), h('p', { class: 'faint' }, t('snapshot.lead')), snapshots.list)];
}

/** "memory,hundredths of a processor,disk"; 0: as it was. @param {string} arg */
function sizeWords(arg) {
	const [memory = 0, cpus = 0, disk = 0] = arg.split(',').map(Number);
	return [disk && t('task.disk', { n: disk }), memory && t('task.memory', { n: memory }), cpus && t('task.cpus', { n: cpus / 100 })].filter(Boolean).join(', ');
}

/** @param {any} task @returns {string} what it is, in words */
export function taskWords(task) {
	return t(`task.${task.kind}`, { arg: task.kind === 'resize' ? sizeWords(task.arg ?? '') : task.arg ?? '' });
}

/** @param {any} d @returns {[string, import('../shared/dom.js').Child][]} */
export function taskRows(d) {
	/** @type {[string, import('../shared/dom.js').Child][]} */
	const rows = [];
	if (d.task)
		rows.push([t('why.task'), h('span', {}, taskWords(d.task), ' ', h('span', { class: 'faint' }, `(${t(`task.state.${d.task.state}`)})`))]);
	if (d.last_task)
		rows.push([t('task.last'), h('span', { class: 'task-end' }, h('span', {}, taskWords(d.last_task)), chip(d.last_task.state, 'task'), d.last_task.error && h('span', { class: 'task-error' }, d.last_task.error))]);
	return rows;
}
