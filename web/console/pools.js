// SPDX-License-Identifier: GPL-3.0-or-later
/** Pools: how full they are, what they are set to, and why they do what they do. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { chip } from '../shared/states.js';
import { duration } from '../shared/time.js';
import { backupRows } from './backups.js';
import { accessCard } from './access.js';
import { fillBar } from './dashboard.js';
import { explainForm } from './explain.js';
import { byName } from './list.js';
import { facts } from './object.js';
import { poolRules } from './pool-form.js';
import { go, href } from './router.js';
import { act, link, nameOf, part, sharesOf, yesNo } from './site.js';

/** @param {any} p @param {'drain' | 'maintenance'} what @returns {import('./site.js').Action} */
function toggle(p, what) {
	const isOn = Boolean(p[what]);
	const name = `${what}${isOn ? 'Off' : 'On'}`;
	return { label: t(`pool.${name}`), icon: isOn ? 'check' : what === 'drain' ? 'pause' : 'alert', run: () => void act({ title: t(`pool.${name}Title`, { name: nameOf(p) }), text: t(`pool.${name}Text`), action: t(`pool.${name}`),
		done: t('act.done'), run: () => api('POST', `/pools/${part(p.id)}/${what}`, what === 'drain' ? { drain: !isOn } : { on: !isOn }) }) };
}

/** @param {any} p @returns {import('./site.js').Action[]} */
export function poolActions(p) {
	if (p.state === 'deleting')
		return [];
	return [
		{ label: t('act.edit'), icon: 'edit', run: () => go(href('pools', p.id, 'edit')) },
		toggle(p, 'drain'), toggle(p, 'maintenance'),
		{ label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('pool.deleteTitle', { name: nameOf(p) }), text: t('pool.deleteText', { n: p.counts.total, used: sharesOf(p).used }),
			action: t('act.delete'), done: t('pool.deleted'), isDanger: true, run: () => api('DELETE', `/pools/${part(p.id)}`) }) },
	];
}

/** @returns {import('./list.js').ListKind} */
export function poolList() {
	return {
		noun: 'pools', kind: 'pool', title: t('nav.pools'), lead: t('pools.lead'), empty: t('pools.empty'), compare: byName, actions: poolActions, isServerSearch: true,
		text: (p) => `${p.name} ${p.display_name}`,
		create: [{ label: t('pools.create'), icon: 'add', run: () => go(href('pools', 'new')) }],
		columns: [
			{ label: t('kind.pool'), cell: (p) => nameOf(p) },
			{ label: t('field.state'), cell: (p) => chip(p.state) },
			{ label: t('pools.fill'), cell: (p) => h('div', { class: 'fill-cell' }, fillBar(p), h('span', { class: 'faint' }, t('dash.used', { used: sharesOf(p).used, max: p.max }))) },
			{ label: t('count.waiting'), cell: (p) => p.waiting || h('span', { class: 'faint' }, '0'), class: 'number-cell' },
			{ label: t('field.why'), cell: (p) => pick(p.reason), class: 'wide-cell' },
			{ label: t('field.kind'), cell: (p) => t(`pool.${p.kind}`) },
		],
	};
}

/** @param {any} p */
function countsCard(p) {
	const names = ['total', 'connected', 'assigned', 'ready', 'suspended', 'starting', 'failed', 'deleting'];
	return h('div', { class: 'card sheet' }, h('h2', {}, t('why.now')), fillBar(p), facts([...names.map((name) => /** @type {[string, string]} */ ([t(`count.${name}`), String(sharesOf(p)[name])])),
		[t('count.waiting'), String(p.waiting)]]));
}

/** @param {any} spec @returns {[string, string][]} */
function specRows(spec) {
	const limit = (/** @type {number} */ n, /** @type {string} */ unit = '') => n ? `${n}${unit}` : t('pool.noLimit');
	return [[t('spec.memory'), limit(spec.memory_mb, ' MiB')], [t('spec.cpus'), limit(spec.cpus)], [t('spec.disk'), spec.disk_mb ? `${spec.disk_mb} MiB` : t('spec.diskAsImage')], [t('spec.pids'), limit(spec.pids)], [t('spec.network'), spec.network === 'host' || spec.network === 'none' ? t(`spec.network.${spec.network}`) : spec.network],
		[t('spec.screen'), `${spec.max_width} × ${spec.max_height}`], [t('spec.locale'), spec.locale || '–'], [t('spec.layout'), spec.layout || '–'],
		[t('spec.display'), t(`spec.display.${spec.display || 'image'}`)]];
}

/** @param {number} seconds */
const orNever = (seconds) => seconds ? duration(seconds) : t('time.never');

/** @returns {import('./object.js').ObjectKind} */
export function poolPage() {
	return {
		noun: 'pools', kind: 'pool', list: t('nav.pools'), actions: poolActions, title: nameOf,
		summary: (p) => [[t('field.name'), p.name], [t('field.description'), p.description], [t('field.kind'), t(`pool.${p.kind}`)], [t('pools.fill'), h('div', { class: 'fill-cell' }, fillBar(p),
			h('a', { href: href('desktops', '', '', { pool: p.name }) }, t('pool.itsDesktops', { n: p.counts.total })))], [t('pool.size'), t('pool.sizeValue', p)],
			[t('pool.spareSuspended'), p.suspended_reason ? h('span', {}, `${p.spare_suspended} · `, h('span', { class: 'version-why' }, pick(p.suspended_reason))) : String(p.spare_suspended ?? 0)],
			[t('kind.provider'), link('providers', p.provider)], [t('kind.image'), h('span', {}, link('images', p.image), ` · ${p.image_version}`)], [t('pool.onLogoff'), t(`pool.onLogoff.${p.on_logoff}`)],
			[t('pool.idle'), orNever(p.idle_disconnect_s)], [t('pool.logoffAfter'), orNever(p.logoff_after_disconnect_s)], [t('pool.clipboardIn'), yesNo(p.clipboard_in)], [t('pool.clipboardOut'), yesNo(p.clipboard_out)], [t('pool.watching'), t(`pool.watching.${p.watching}`)], [t('pool.userSnapshots'), String(p.user_snapshots ?? 0)],
			[t('pool.personalMb'), p.personal_disk_mb ? `${p.personal_disk_mb} MB${p.personal_datastore ? ` · ${p.personal_datastore}` : ''}` : t('pool.personalNone')],
			[t('pool.recycledFor'), p.recycled_for ? t('pool.recycledDays', { n: p.recycled_for }) : t('pool.recycledNone')],
			...backupRows(p), ...specRows(p.spec ?? {}), [t('pool.enabled'), yesNo(p.enabled)], [t('pool.drain'), yesNo(p.drain)], [t('pool.maintenance'), yesNo(p.maintenance)]],
		below: (p, page) => [accessCard('pool', p, page)],
		why: (p) => [h('div', { class: 'card sheet' }, h('h2', {}, t('why.rules')), h('ul', { class: 'rules' }, poolRules(p).map((text) => h('li', {}, text)))), countsCard(p)],
		ask: (p) => explainForm({ pool: p.name }),
	};
}
