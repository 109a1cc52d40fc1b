// SPDX-License-Identifier: GPL-3.0-or-later
/** Versions of images that are made on a datastore: imported or captured with progress in words, cancelled, removed. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { chip } from '../shared/states.js';
import { sizeWord } from './datastores.js';
import { act, all, formDialog, look, part } from './site.js';
import './words-storage.js';

/** @returns {import('../shared/form.js').Field} */
const versionField = () => ({ name: 'version', label: t('field.version'), isRequired: true, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$', help: t('images.versionHelp') });

/** Those that take images, and are there. @returns {Promise<[string, string][]>} */
async function stores() {
	const found = await all('/datastores', 200);
	return found.filter((d) => d.images && d.online).map((d) => [d.name, t('version.storeChoice', { name: d.name, free: sizeWord(d.free) })]);
}

/** @param {any} image @param {string} title @param {string} lead @param {'import' | 'capture'} source @param {import('../shared/form.js').Field[]} fields */
async function make(image, title, lead, source, fields) {
	const options = await stores().catch(() => []);
	formDialog({ title: t(title), lead: t(options.length ? lead : 'version.noStore'), submit: t(title), done: t('version.begun'), values: { [source]: { datastore: options[0]?.[0], format: '' } },
		fields: [versionField(), { name: `${source}.datastore`, label: t('kind.datastore'), type: 'select', options, isRequired: true }, ...fields, { name: 'notes', label: t('field.notes'), type: 'textarea', maxLength: 1000 }],
		run: (values) => api('POST', `/images/${part(image.id)}/versions`, values) });
}

/** @param {any} image */
export function importDisk(image) {
	void make(image, 'version.import', 'version.importLead', 'import', [{ name: 'import.file', label: t('version.file'), isRequired: true, maxLength: 100, help: t('version.fileHelp') },
		{ name: 'import.format', label: t('version.format'), type: 'select', options: [['', t('version.formatGuess')], ['qcow2', 'qcow2'], ['raw', 'raw'], ['vmdk', 'VMDK'], ['vhdx', 'VHDX'], ['oci', t('version.formatOci')]] }]);
}

/** @param {any} image */
export function captureDesktop(image) {
	void make(image, 'version.capture', 'version.captureLead', 'capture', [{ name: 'capture.desktop', label: t('kind.desktop'), type: 'lookup', look: look('desktops'), isRequired: true }]);
}

/** @param {any} v */
const isWorking = (v) => v.job?.state === 'running';

/** State, and below it how far it is, or why it is not. @param {any} v */
export function versionState(v) {
	const { job } = v;
	const words = isWorking(v) ? t(`version.step.${job.step}`, { percent: job.percent }) : v.state === 'failed' || (v.state === 'retired' && job?.state === 'failed') ? pick({ en: job?.error ?? '', es: job?.error_es ?? job?.error ?? '' }) : '';
	/** @type {import('../shared/dom.js').Child[]} */
	const below = [];
	if (isWorking(v)) {
		const piece = h('span', { class: 'fill-connected' });
		piece.style.width = `${job.percent}%`;
		below.push(h('div', { class: 'fill', role: 'progressbar', 'aria-valuenow': job.percent, 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': words }, piece));
	}
	if (words)
		below.push(h('span', { class: isWorking(v) ? 'faint' : 'version-why' }, words));
	return h('div', { class: 'fill-cell' }, chip(isWorking(v) && job.kind === 'remove' ? 'deleting' : v.state), ...below);
}

/** Where it lies, else its base as it was given. @param {any} v */
export function versionPlace(v) {
	return v.files ? `${[v.files.datastore, ...(v.files.copies ?? [])].join(', ')} · ${sizeWord(v.files.file_size)}` : isWorking(v) || v.state === 'failed' ? v.job?.datastore ?? v.base : v.base;
}

/** @param {any} image @param {any} v */
const at = (image, v) => `/images/${part(image.id)}/versions/${part(v.version)}`;

/** Of a version that is being made or removed; null for others. @param {any} image @param {any} v @returns {HTMLElement[] | null} */
export function jobButtons(image, v) {
	return isWorking(v) ? [h('button', { type: 'button', on: { click: () => void act({ title: t('version.cancelTitle', { version: v.version }), text: t('version.cancelText'), action: t('version.cancel'), done: t('act.asked'), run: () => api('POST', `${at(image, v)}/cancel`, {}) }) } }, t('version.cancel'))] : null;
}

/** To a further datastore, which takes desktops of the version from then on. @param {any} image @param {any} v */
async function copyVersion(image, v) {
	const options = (await stores().catch(() => [])).filter(([name]) => name !== v.files.datastore && !(v.files.copies ?? []).includes(name));
	formDialog({ title: t('version.copyTitle', { version: v.version }), lead: t(options.length ? 'version.copyLead' : 'version.copyNowhere'), submit: t('version.copy'), done: t('version.begun'), values: { datastore: options[0]?.[0] },
		fields: [{ name: 'datastore', label: t('kind.datastore'), type: 'select', options, isRequired: true }], run: (values) => api('POST', `${at(image, v)}/copies`, values) });
}

/** @param {any} image @param {any} v */
function uncopyVersion(image, v) {
	const options = v.files.copies.map((/** @type {string} */ name) => /** @type {[string, string]} */ ([name, name]));
	formDialog({ title: t('version.uncopyTitle', { version: v.version }), lead: t('version.uncopyLead'), submit: t('version.remove'), done: t('act.asked'), values: { datastore: options[0][0] },
		fields: [{ name: 'datastore', label: t('kind.datastore'), type: 'select', options, isRequired: true }], run: (values) => api('DELETE', `${at(image, v)}/copies/${part(values.datastore)}`) });
}

/** Of a version whose files lie on a datastore. @param {any} image @param {any} v @returns {HTMLElement[]} */
export function copyButtons(image, v) {
	if (!v.files || v.state !== 'ready')
		return [];
	const button = (/** @type {string} */ what, /** @type {() => void} */ click) => h('button', { type: 'button', class: 'quiet', 'aria-label': t(`version.${what}Label`, { version: v.version }), on: { click } }, t(`version.${what}`));
	return [button('copy', () => void copyVersion(image, v)), ...(v.files.copies?.length ? [button('uncopy', () => uncopyVersion(image, v))] : [])];
}

/** @param {any} image @param {any} v */
export function removeButton(image, v) {
	return h('button', { type: 'button', class: 'quiet', 'aria-label': t('version.removeLabel', { version: v.version }), on: { click: () => void act({ title: t('version.removeTitle', { version: v.version }), text: t(v.files ? 'version.removeText' : 'version.forgetText'), action: t('version.remove'),
		done: t('act.asked'), isDanger: true, run: () => api('DELETE', at(image, v)) }) } }, t('version.remove'));
}
