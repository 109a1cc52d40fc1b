// SPDX-License-Identifier: GPL-3.0-or-later
/** The recycle bins of datastores and providers: removed desktops and disks come back to their users, removed versions wait for their end. */

import { api } from '../shared/api.js';
import { h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { when } from '../shared/time.js';
import { sizeWord } from './datastores.js';
import { act, link, part } from './site.js';
import './words-storage.js';

/** The bins are asked when somebody looks; nothing tells of their changes. */
const lookAgain = () => void window.dispatchEvent(new Event('hashchange'));

/** @param {any} r @returns {import('./site.js').Action[]} */
function recycledActions(r) {
	/** @type {import('./site.js').Action[]} */
	const actions = [{ label: t('recycled.purge'), icon: 'trash', isDanger: true, run: () => void act({ title: t('recycled.purgeTitle', { name: r.name }), text: t('recycled.purgeText'), action: t('recycled.purge'), done: t('act.deleted'), isDanger: true,
		run: () => api('DELETE', `/recycled/${part(r.datastore)}/${part(r.token)}`), after: lookAgain }) }];
	if (!r.can_restore)
		return actions;
	const isDisk = r.kind === 'personal', path = isDisk ? `${part(r.datastore)}/${part(r.token)}` : part(r.id);
	return [{ label: t('recycled.restore'), icon: 'undo', run: () => void act({ title: t('recycled.restoreTitle', { name: r.name }), text: t(isDisk ? 'recycled.personalText' : 'recycled.restoreText', { user: r.user?.name ?? '' }), action: t('recycled.restore'),
		done: t(isDisk ? 'recycled.personalRestored' : 'recycled.restored'), run: () => api('POST', `/recycled/${path}/restore`, {}), after: lookAgain }) }, ...actions];
}

/** @returns {import('./list.js').ListKind} */
export function recycledList() {
	return {
		noun: 'recycled', kind: 'recycled', title: t('nav.recycled'), lead: t('recycled.lead'), empty: t('recycled.empty'), compare: (a, b) => String(b.removed).localeCompare(String(a.removed)), actions: recycledActions,
		text: (r) => `${r.name} ${r.user?.name ?? ''} ${r.pool?.name ?? ''}`, hasNoPage: true,
		columns: [
			{ label: t('field.name'), cell: (r) => h('strong', {}, r.name) },
			{ label: t('field.kind'), cell: (r) => t(`recycled.${r.kind}`) },
			{ label: t('kind.user'), cell: (r) => link('users', r.user) },
			{ label: t('kind.pool'), cell: (r) => link('pools', r.pool) },
			{ label: t('kind.datastore'), cell: (r) => `${r.datastore} · ${sizeWord(r.bytes)}` },
			{ label: t('recycled.removed'), cell: (r) => when(r.removed) },
			{ label: t('recycled.until'), cell: (r) => when(r.until) },
		],
	};
}
