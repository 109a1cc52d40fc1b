// SPDX-License-Identifier: GPL-3.0-or-later
/** One entitled pool: its state, why it is so, the desktop in it, and what can be done. */

import { api } from '../shared/api.js';
import { confirmAction } from '../shared/dialog.js';
import { h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { menuButton } from '../shared/menu.js';
import { chip, toneOf } from '../shared/states.js';
import { toast } from '../shared/toast.js';
import { openOther } from './other.js';
import { keepsSnapshots, openSnapshots } from './snapshots.js';

/** Where a pool's desktop opens. @param {any} pool */
export function clientAddress(pool) {
	return `/client/#pool=${encodeURIComponent(pool.id)}`;
}

/** @param {any} pool */
export function canOpen(pool) {
	return pool.state !== 'maintenance' || pool.desktop?.session_state === 'connected';
}

/** @param {any} pool @param {'logoff' | 'restart'} act @param {import('./pools.js').Pools} pools */
async function ask(pool, act, pools) {
	const name = pool.desktop.name;
	const isDone = await confirmAction({
		title: t(`${act}.title`, { name }), text: t(`${act}.text`), action: t(`tile.${act}`), isDanger: true,
		run: () => api('POST', `/me/desktops/${encodeURIComponent(pool.desktop.id)}/${act}`, {}),
	});
	if (!isDone)
		return;
	toast(t(`${act}.done`, { name }), 'good');
	pools.hurry();
}

/** Nothing can be asked of a desktop that is leaving already. */
const LEAVING = new Set(['logging_off', 'refreshing', 'deleting']);

/** @param {any} pool @param {import('./pools.js').Pools} pools @returns {import('../shared/menu.js').MenuItem[]} */
function itemsOf(pool, pools) {
	/** @type {import('../shared/menu.js').MenuItem[]} */
	const items = [];
	if (canOpen(pool))
		items.push({ label: t('tile.newTab'), icon: 'open', href: clientAddress(pool), isNewTab: true });
	items.push({ label: t('tile.other'), icon: 'window', run: () => openOther(pool) });
	if (pool.desktop?.session_state === 'connected')
		items.push({ label: t('tile.view'), icon: 'eye', href: `${clientAddress(pool)}&view=1`, isNewTab: true });
	if (keepsSnapshots(pool) && !LEAVING.has(pool.desktop.state))
		items.push({ label: t('tile.snapshots'), icon: 'camera', run: () => openSnapshots(pool, pools) });
	if (pool.desktop && !LEAVING.has(pool.desktop.state))
		items.push({ label: t('tile.restart'), icon: 'refresh', run: () => void ask(pool, 'restart', pools) },
			{ label: t('tile.logoff'), icon: 'logoff', isDanger: true, run: () => void ask(pool, 'logoff', pools) });
	return items;
}

/** @param {any} pool */
function openButton(pool) {
	const name = pool.display_name || pool.name;
	if (!canOpen(pool))
		return h('span', { class: 'button primary', 'aria-disabled': 'true' }, t('tile.closed'));
	const word = pool.desktop ? 'tile.continue' : pool.state === 'busy' ? 'tile.queue' : 'tile.open';
	return h('a', { class: 'button primary', href: clientAddress(pool), 'aria-label': t(`${word}Label`, { name }) }, icon('desktops'), t(word));
}

/** @param {any} pool @param {import('./pools.js').Pools} pools asked anew after an action */
export function tile(pool, pools) {
	const name = pool.display_name || pool.name;
	return h('li', { class: `tile card is-${toneOf(pool.state)}`, 'data-pool': pool.id },
		h('div', { class: 'tile-head' },
			h('span', { class: 'tile-mark', 'aria-hidden': 'true' }, icon('desktops')),
			h('div', { class: 'tile-name' }, h('h2', {}, name), h('p', { class: 'tile-description' }, pool.description || t(`tile.${pool.kind}`))),
			chip(pool.state)),
		h('p', { class: 'tile-why' }, pick(pool.reason)),
		pool.desktop && h('p', { class: 'tile-desktop' }, h('span', { class: 'faint' }, t('tile.mine')), h('b', {}, pool.desktop.name), chip(pool.desktop.state, 'desktop')),
		h('div', { class: 'tile-actions' }, openButton(pool), menuButton([icon('more')], t('tile.more', { name }), () => itemsOf(pool, pools))));
}
