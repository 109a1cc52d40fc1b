// SPDX-License-Identifier: GPL-3.0-or-later
/** "Snapshots…": those that a user keeps of the own desktop, where the pool allows some. */

import { openDialog } from '../shared/dialog.js';
import { h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { Snapshots } from '../shared/snapshots.js';
import { toast } from '../shared/toast.js';

/** @param {any} pool */
export const keepsSnapshots = (pool) => pool.user_snapshots > 0 && Boolean(pool.desktop);

/** @param {any} pool of GET /me/pools @param {import('./pools.js').Pools} pools tells how the desktop's tasks go */
export function openSnapshots(pool, pools) {
	const { desktop, user_snapshots: max } = pool;
	/** What has been asked for and is not done yet. @type {string | null} */
	let waits = null;
	const status = h('p', { class: 'snapshot-status', role: 'status' });
	const snapshots = new Snapshots({ at: `/me/desktops/${encodeURIComponent(desktop.id)}/snapshots`, desktop: desktop.name, max, sent: () => t('snapshots.sent'), asked: (what, name, task) => {
		if (what === 'revert') {
			dialog.close();
			toast(t('snapshots.going.revert', { name, desktop: desktop.name }), 'good');
		} else {
			waits = task?.id ?? null;
			status.textContent = t(`snapshots.going.${what}`, { name });
		}
		pools.hurry();
	} });
	const end = pools.watch((items) => {
		const now = items.find((p) => p.id === pool.id)?.desktop;
		if (!waits || now?.task?.id === waits)
			return;
		const last = now?.last_task;
		status.textContent = last?.id === waits && last.state === 'failed' ? t('snapshots.failed', { error: last.error }) : '';
		status.classList.toggle('is-bad', Boolean(status.textContent));
		waits = null;
		void snapshots.load();
	});
	const dialog = openDialog(t('snapshots.title', { desktop: desktop.name }), [h('p', { class: 'dialog-text' }, t('snapshot.lead'), ' ', t(max === 1 ? 'snapshots.maxOne' : 'snapshots.max', { n: max })),
		snapshots.list, status, h('div', { class: 'dialog-row' }, snapshots.taker)], { onClose: end });
	void snapshots.load();
}
