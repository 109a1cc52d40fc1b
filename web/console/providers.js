// SPDX-License-Identifier: GPL-3.0-or-later
/** Providers: where desktops are made. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { hostCards } from './hosts.js';
import { byName } from './list.js';
import { go, href } from './router.js';
import { act, formDialog, part, yesNo } from './site.js';

/** @returns {import('../shared/form.js').Field[]} */
function fields() {
	return [{ name: 'name', label: t('field.name'), isRequired: true, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]{0,63}$', help: t('providers.nameHelp') },
		{ name: 'capacity', label: t('providers.capacity'), type: 'number', min: 0, max: 100000, isRequired: true, help: t('providers.capacityHelp') },
		{ name: 'max_creates', label: t('providers.creates'), type: 'number', min: 1, max: 256, isRequired: true, help: t('providers.createsHelp') },
		{ name: 'enabled', label: t('providers.enabled'), type: 'check' }];
}

const KINDS = ['local', 'libvirt', 'container', 'lxc', 'ssh', 'vsphere', 'hosts', 'proxmox', 'kubevirt', 'qemu', 'hyperv'];

function create() {
	formDialog({ title: t('providers.create'), fields: [...fields(), { name: 'kind', label: t('field.kind'), type: 'select', options: KINDS.map((kind) => [kind, t(`providers.${kind}`)]) }], values: { capacity: 0, max_creates: 2, enabled: true, kind: 'local' },
		submit: t('providers.create'), done: t('act.created'), run: (values) => api('POST', '/providers', values), after: (p) => go(href('providers', p.id)) });
}

/** @param {any} p @returns {import('./site.js').Action[]} */
export function providerActions(p) {
	const change = (/** @type {any} */ values) => api('PATCH', `/providers/${part(p.id)}`, values, { headers: { 'if-match': `"${p.rev}"` } });
	return [{ label: t('act.edit'), icon: 'edit', run: () => formDialog({ title: t('act.editName', { name: p.name }), fields: fields(), values: p, submit: t('act.save'), done: t('act.savedPlain'), run: change }) },
		{ label: t(p.enabled ? 'act.disable' : 'act.enable'), icon: p.enabled ? 'pause' : 'check', run: () => void act({ title: t(p.enabled ? 'providers.disableTitle' : 'providers.enableTitle', { name: p.name }),
			text: t(p.enabled ? 'providers.disableText' : 'providers.enableText'), action: t(p.enabled ? 'act.disable' : 'act.enable'), done: t('act.done'), run: () => change({ enabled: !p.enabled }) }) },
		{ label: t('act.delete'), icon: 'trash', isDanger: true, run: () => void act({ title: t('act.deleteName', { name: p.name }), text: t('providers.deleteText'), action: t('act.delete'), done: t('act.deleted'), isDanger: true,
			run: () => api('DELETE', `/providers/${part(p.id)}`) }) }];
}

/** @param {any} p */
const room = (p) => p.capacity ? String(p.capacity) : t('providers.asSaid');

/** What its hypervisor carries, a line each; words this console does not know stay as they came. @param {string[]} can */
function carried(can) {
	return can.length ? h('ul', { class: 'carried' }, can.map((word) => h('li', {}, t(`can.${word}`).replace(/^can\./, '')))) : t('providers.canNothing');
}

/** @returns {import('./list.js').ListKind} */
export function providerList() {
	return {
		noun: 'providers', kind: 'provider', title: t('nav.providers'), lead: t('providers.lead'), empty: t('providers.empty'), compare: byName, actions: providerActions, isServerSearch: true, text: (p) => p.name,
		create: [{ label: t('providers.create'), icon: 'add', run: create }],
		columns: [
			{ label: t('kind.provider'), cell: (p) => p.name },
			{ label: t('field.state'), cell: (p) => chip(p.state) },
			{ label: t('field.why'), cell: (p) => pick(p.reason), class: 'wide-cell' },
			{ label: t('providers.capacity'), cell: room },
			{ label: t('providers.seen'), cell: (p) => when(p.seen) },
		],
	};
}

/** @returns {import('./object.js').ObjectKind} */
export function providerPage() {
	return {
		noun: 'providers', kind: 'provider', list: t('nav.providers'), actions: providerActions, title: (p) => p.name, below: hostCards,
		summary: (p) => [[t('field.kind'), p.kind], [t('providers.healthy'), yesNo(p.healthy)], [t('providers.seen'), when(p.seen)], [t('providers.capacity'), room(p)], [t('providers.creates'), String(p.max_creates)],
			[t('providers.enabled'), yesNo(p.enabled)], [t('providers.can'), carried(p.can ?? [])]],
	};
}
