// SPDX-License-Identifier: GPL-3.0-or-later
/** Datastores: where disks lie, how full they are, and what an administrator sets. They are made in provisioner.conf. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { number, pick, t } from '../shared/i18n.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { byName } from './list.js';
import { act, formDialog, part, yesNo } from './site.js';
import './words-storage.js';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** @param {number | null | undefined} bytes */
export function sizeWord(bytes) {
	if (bytes === null || bytes === undefined)
		return '–';
	let n = bytes;
	let unit = 0;
	while (n >= 10240 && unit < UNITS.length - 1) {
		n /= 1024;
		unit++;
	}
	return `${number(Math.floor(n))} ${UNITS[unit]}`;
}

/** @param {any} d */
const percentOf = (d) => d.total ? Math.floor(d.used / d.total * 100) : 0;

/** How full it is: the limits are marks on the bar. @param {any} d */
function fullBar(d) {
	const percent = percentOf(d);
	const words = d.total ? t('datastore.full', { percent, free: sizeWord(d.free) }) : t('datastore.notTold');
	const level = percent >= d.critical ? 'failed' : percent >= d.warning ? 'warned' : 'connected';
	const piece = h('span', { class: `fill-${level}` });
	piece.style.width = `${percent}%`;
	return h('div', { class: 'fill-cell' }, h('div', { class: 'fill', role: 'img', 'aria-label': words, title: words }, piece), h('span', { class: 'faint' }, words));
}

/** @param {any} d @param {any} values */
const change = (d, values) => api('PATCH', `/datastores/${part(d.id)}`, values, { headers: { 'if-match': `"${d.rev}"` } });

/** @param {any} d */
function limits(d) {
	const field = (/** @type {string} */ name, /** @type {number} */ max) => ({ name, label: t(`datastore.${name}`), type: /** @type {const} */ ('number'), min: 0, max, isRequired: true, help: t(`datastore.${name}Help`) });
	formDialog({ title: t('datastore.limitsTitle', { name: d.name }), lead: t('datastore.limitsLead'), submit: t('act.save'), done: t('act.savedPlain'), fields: [field('warning', 99), field('critical', 100)], values: d, run: (values) => change(d, values) });
}

/** @param {any} d @returns {import('./site.js').Action[]} */
export function datastoreActions(d) {
	const which = d.maintenance ? 'resume' : 'maintain';
	/** @type {import('./site.js').Action[]} */
	const actions = [{ label: t(`datastore.${which}`), icon: d.maintenance ? 'play' : 'pause', run: () => void act({ title: t(`datastore.${which}Title`, { name: d.name }), text: t(`datastore.${which}Text`),
		action: t(`datastore.${which}`), done: t('act.done'), run: () => change(d, { maintenance: !d.maintenance }) }) }, { label: t('datastore.limits'), icon: 'edit', run: () => limits(d) }];
	if (d.state !== 'unknown')
		return actions;
	return [...actions, { label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('act.deleteName', { name: d.name }), text: t('datastore.deleteText'), action: t('act.delete'), done: t('act.deleted'), isDanger: true,
		run: () => api('DELETE', `/datastores/${part(d.id)}`) }) }];
}

/** @param {any} d */
const poolsWord = (d) => d.pools?.length ? d.pools.join(', ') : t('datastore.everyPool');

/** @param {any} d */
const jobsWord = (d) => d.working === null || d.working === undefined ? '–' : t(d.waiting ? 'datastore.jobsWaiting' : 'datastore.jobs', { working: d.working, jobs: d.jobs, waiting: d.waiting });

/** A folder, or volumes of a pool of the hypervisor's. @param {any} d */
const kindWord = (d) => d.kind === 'volumes' ? t(d.about ? 'datastore.kind.volumesOf' : 'datastore.kind.volumes', d) : t('datastore.kind.directory');

/** @returns {import('./list.js').ListKind} */
export function datastoreList() {
	return {
		noun: 'datastores', kind: 'datastore', title: t('nav.datastores'), lead: t('datastores.lead'), empty: t('datastores.empty'), compare: byName, actions: datastoreActions, isServerSearch: true, text: (d) => d.name,
		columns: [
			{ label: t('kind.datastore'), cell: (d) => d.name },
			{ label: t('datastore.kind'), cell: kindWord },
			{ label: t('field.state'), cell: (d) => chip(d.state, 'datastore') },
			{ label: t('datastore.space'), cell: fullBar },
			{ label: t('datastore.disks'), cell: (d) => d.disks === null ? '–' : number(d.disks), class: 'number-cell' },
			{ label: t('field.why'), cell: (d) => pick(d.reason), class: 'wide-cell' },
			{ label: t('datastore.pools'), cell: poolsWord },
		],
	};
}

/** @returns {import('./object.js').ObjectKind} */
export function datastorePage() {
	return {
		noun: 'datastores', kind: 'datastore', list: t('nav.datastores'), actions: datastoreActions, title: (d) => d.name,
		summary: (d) => [[t('datastore.kind'), kindWord(d)], [t(d.kind === 'volumes' ? 'datastore.records' : 'datastore.path'), h('span', { class: 'mono' }, d.path ?? '–')], [t('datastore.space'), fullBar(d)], [t('datastore.total'), sizeWord(d.total)], [t('datastore.disks'), d.disks === null ? '–' : number(d.disks)],
			[t('datastore.allocated'), sizeWord(d.allocated)], [t('datastore.promised'), sizeWord(d.promised)], [t('datastore.work'), jobsWord(d)], [t('datastore.limits'), t(d.limits_set ? 'datastore.limitsHere' : 'datastore.limitsFile', d)],
			[t('datastore.pools'), poolsWord(d)], [t('datastore.images'), yesNo(Boolean(d.images))], [t('providers.seen'), when(d.seen)]],
	};
}
