// SPDX-License-Identifier: GPL-3.0-or-later
/** Images and their versions; publishing one makes it what `latest` stands for. */

import { api } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { captureDesktop, importDisk, versionPlace, versionState } from './image-files.js';
import { byName } from './list.js';
import { rolloutCard, versionButtons } from './rollouts.js';
import { go, href } from './router.js';
import { act, formDialog, nameOf, part } from './site.js';

/** @returns {[string, string][]} */
const SYSTEMS = () => [['linux', 'Linux'], ['windows', 'Windows']];

/** @returns {import('../shared/form.js').Field[]} */
function fields() {
	return [{ name: 'name', label: t('field.name'), isRequired: true, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$' }, { name: 'display_name', label: t('field.displayName'), maxLength: 64 },
		{ name: 'description', label: t('field.description'), type: 'textarea', maxLength: 1000 }, { name: 'os', label: t('field.os'), type: 'select', options: SYSTEMS(), help: t('images.osHelp') }];
}

function create() {
	formDialog({ title: t('images.create'), lead: t('images.createLead'), fields: fields(), values: { os: 'linux' }, submit: t('images.create'), done: t('act.created'),
		run: (values) => api('POST', '/images', values), after: (image) => go(href('images', image.id)) });
}

/** @param {any} image */
function edit(image) {
	formDialog({ title: t('act.editName', { name: nameOf(image) }), fields: fields(), values: image, submit: t('act.save'), done: t('act.savedPlain'),
		run: (values) => api('PATCH', `/images/${part(image.id)}`, values, { headers: { 'if-match': `"${image.rev}"` } }) });
}

/** @param {any} image */
function addVersion(image) {
	formDialog({ title: t('images.addVersion'), lead: t('images.versionLead'), values: { base: 'host' }, submit: t('images.addVersion'), done: t('images.versionAdded'),
		fields: [{ name: 'version', label: t('field.version'), isRequired: true, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$', help: t('images.versionHelp') },
			{ name: 'base', label: t('field.base'), isRequired: true, help: t('images.baseHelp') }, { name: 'path', label: t('field.path'), help: t('images.pathHelp') },
			{ name: 'notes', label: t('field.notes'), type: 'textarea', maxLength: 1000 }],
		run: (values) => api('POST', `/images/${part(image.id)}/versions`, values) });
}

/** @param {any} image @returns {import('./site.js').Action[]} */
export function imageActions(image) {
	return [{ label: t('images.addVersion'), icon: 'add', run: () => addVersion(image) }, { label: t('version.import'), icon: 'download', run: () => importDisk(image) },
		{ label: t('version.capture'), icon: 'camera', isMore: true, run: () => captureDesktop(image) }, { label: t('act.edit'), icon: 'edit', run: () => edit(image) },
		{ label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('act.deleteName', { name: nameOf(image) }), text: t('images.deleteText'), action: t('act.delete'), done: t('act.deleted'), isDanger: true,
			run: () => api('DELETE', `/images/${part(image.id)}`) }) }];
}

/** @returns {import('./list.js').ListKind} */
export function imageList() {
	return {
		noun: 'images', kind: 'image', title: t('nav.images'), lead: t('images.lead'), empty: t('images.empty'), compare: byName, actions: imageActions, isServerSearch: true,
		text: (i) => `${i.name} ${i.display_name}`, create: [{ label: t('images.create'), icon: 'add', run: create }],
		columns: [
			{ label: t('kind.image'), cell: nameOf },
			{ label: t('field.state'), cell: (i) => chip(i.state) },
			{ label: t('images.latest'), cell: (i) => h('span', { class: 'task-end' }, i.published ?? '–', i.rollout?.live && h('span', {}, '→ ', i.rollout.version), i.rollout?.live && chip(i.rollout.paused ? 'paused' : i.rollout.phase, 'rollout')) },
			{ label: t('images.versions'), cell: (i) => String(i.versions?.length ?? 0), class: 'number-cell' },
			{ label: t('field.description'), cell: (i) => i.description, class: 'wide-cell' },
			{ label: t('field.updated'), cell: (i) => when(i.updated) },
		],
	};
}

/** @param {any} image @param {import('./object.js').ObjectPage} page */
function versionsCard(image, page) {
	const body = h('tbody');
	page.onChange((now) => fill(body, ...[...(now.versions ?? [])].reverse().map((/** @type {any} */ v) => h('tr', {},
		h('td', { 'data-label': t('field.version') }, h('strong', {}, v.version), v.version === now.published && chip('published')), h('td', { 'data-label': t('field.state') }, versionState(v)), h('td', { 'data-label': t('images.desktops'), class: 'number-cell' }, String(v.desktops ?? 0)),
		h('td', { 'data-label': t('field.base'), class: v.files ? '' : 'mono' }, versionPlace(v)), h('td', { 'data-label': t('field.path'), class: 'mono wide-cell' }, v.path || '–'), h('td', { 'data-label': t('field.notes'), class: 'wide-cell' }, v.notes || '–'),
		h('td', { 'data-label': t('field.created') }, when(v.created)),
		h('td', {}, h('div', { class: 'version-actions' }, versionButtons(now, v)))))));
	return h('div', { class: 'card table-card' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('images.versions')), h('button', { type: 'button', on: { click: () => addVersion(page.object) } }, icon('add'), t('images.addVersion'))),
		h('table', { class: 'list' }, h('thead', {}, h('tr', {}, ['field.version', 'field.state', 'images.desktops', 'field.base', 'field.path', 'field.notes', 'field.created'].map((key) => h('th', { scope: 'col' }, t(key))), h('th', { scope: 'col' }))), body));
}

/** @returns {import('./object.js').ObjectKind} */
export function imagePage() {
	return {
		noun: 'images', kind: 'image', list: t('nav.images'), actions: imageActions, title: nameOf,
		summary: (i) => [[t('field.name'), i.name], [t('field.description'), i.description], [t('field.os'), i.os], [t('images.latest'), i.published ?? t('images.none')]],
		below: (i, page) => [rolloutCard(i, page), versionsCard(i, page)],
	};
}
