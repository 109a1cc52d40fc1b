// SPDX-License-Identifier: GPL-3.0-or-later
/** Back-ups of desktops: of one on its own page, and all of them, also of desktops that are no more. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { exactTime, when } from '../shared/time.js';
import { carries } from './carried.js';
import { sizeWord } from './datastores.js';
import { act, link, part } from './site.js';
import './words-backups.js';

/** @param {any} b */
const isWorking = (b) => b.job.state === 'running';

/** What is being done with it and how far, why it failed, or what it is. @param {any} b */
function words(b) {
	if (isWorking(b))
		return t(`backup.step.${b.job.kind === 'backup' ? b.job.step : b.job.kind}`, { percent: b.job.percent });
	const trouble = b.job.state === 'failed' ? pick({ en: b.job.error, es: b.job.error_es || b.job.error }) : '';
	if (b.state !== 'ready')
		return trouble;
	return [t(`backup.${b.kind}`), sizeWord(b.bytes), t(`backup.why.${b.reason}`), b.by_hand ? t('backup.byHand') : '', trouble].filter(Boolean).join(' · ');
}

/** @param {any} b */
const nameOf = (b) => b.made ? exactTime(b.made) : b.desktop.name;

/** @param {any} b @param {() => void} after */
function restore(b, after) {
	const text = t(b.is_there ? 'backup.restoreText' : 'backup.rebuildText', { desktop: b.desktop.name, user: b.user?.name ?? '' });
	void act({ title: t('backup.restoreTitle', { name: nameOf(b) }), text, action: t('backup.restore'), done: t('act.asked'), isDanger: b.is_there, run: () => api('POST', `/backups/${part(b.id)}/restore`, {}), after });
}

/** @param {any} b @param {() => void} after */
function remove(b, after) {
	void act({ title: t('backup.removeTitle', { name: nameOf(b) }), text: t('backup.removeText'), action: t('backup.remove'), done: t('act.asked'), isDanger: true, run: () => api('DELETE', `/backups/${part(b.id)}`), after });
}

/** @param {any} b @param {() => void} after */
function cancel(b, after) {
	void act({ title: t('backup.cancelTitle'), text: t('backup.cancelText'), action: t('backup.cancel'), done: t('act.asked'), run: () => api('POST', `/backups/${part(b.id)}/cancel`, {}), after });
}

/** @param {any} b @param {() => void} after @returns {import('./site.js').Action[]} */
function actionsOf(b, after) {
	if (isWorking(b))
		return [{ label: t('backup.cancel'), icon: 'stop', run: () => cancel(b, after) }];
	const gone = { label: t('backup.remove'), icon: /** @type {const} */ ('trash'), isDanger: true, run: () => remove(b, after) };
	return b.state === 'ready' ? [{ label: t('backup.restore'), icon: 'undo', run: () => restore(b, after) }, gone] : [gone];
}

/** @param {any} b @param {() => void} after */
function row(b, after) {
	const head = b.made ? when(b.made) : chip(isWorking(b) ? 'building' : 'failed', 'backup');
	return h('li', {}, h('strong', {}, head), h('span', { class: b.job.state === 'failed' ? 'version-why grow' : 'faint grow' }, words(b)),
		h('span', { class: 'row-tools' }, ...actionsOf(b, after).map((a) => h('button', { type: 'button', class: 'quiet', 'aria-label': `${a.label}: ${nameOf(b)}`, title: a.label, on: { click: a.run } }, icon(a.icon), a.isDanger ? null : a.label))));
}

/** One desktop's, read again at each change of it. */
class Backups {
	/** @param {any} d */
	constructor(d) {
		this.at = `/desktops/${part(d.id)}/backups`;
		this.list = h('ul', { class: 'rows' });
		this.maker = h('button', { type: 'button', on: { click: () => void this.make() } }, icon('shield'), t('backup.now'));
		this.isLoading = this.isOld = false;
	}

	/** Progress comes often: one reading at a time. */
	async load() {
		this.isOld = true;
		if (this.isLoading)
			return;
		this.isLoading = true;
		while (this.isOld) {
			this.isOld = false;
			await this.#read();
		}
		this.isLoading = false;
	}

	async #read() {
		try {
			this.#show((await api('GET', this.at)).data.items);
		} catch (reason) {
			fill(this.list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	}

	/** Who is on a button stays on it. @param {any[]} items */
	#show(items) {
		const label = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : null;
		this.maker.disabled = items.some(isWorking);
		fill(this.list, ...(items.length ? items.map((b) => row(b, () => void this.load())) : [h('li', { class: 'faint' }, t('backup.none'))]));
		if (label)
			([...this.list.querySelectorAll('button')].find((b) => b.getAttribute('aria-label') === label) ?? this.list.querySelector('button') ?? this.maker).focus();
	}

	async make() {
		this.maker.disabled = true;
		try {
			await api('POST', this.at, {});
		} catch (reason) {
			fill(this.list, h('li', { class: 'form-error' }, problemText(reason)));
			this.maker.disabled = false;
			return;
		}
		void this.load();
	}
}

/** @param {any} d @param {import('./object.js').ObjectPage} page @returns {HTMLElement[]} */
export function backupsCard(d, page) {
	if (!carries(d, 'backup'))
		return [];
	const backups = new Backups(d);
	page.onChange(() => void backups.load());
	return [h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('backup.title')), backups.maker), h('p', { class: 'faint' }, t('backup.lead')), backups.list)];
}

const lookAgain = () => void window.dispatchEvent(new Event('hashchange'));

/** @returns {import('./list.js').ListKind} */
export function backupList() {
	return {
		noun: 'backups', kind: 'backup', title: t('nav.backups'), lead: t('backups.lead'), empty: t('backups.empty'), compare: (a, b) => String(b.created).localeCompare(String(a.created)), actions: (b) => actionsOf(b, lookAgain),
		isServerSearch: true, text: (b) => `${b.desktop.name} ${b.user?.name ?? ''}`, hasNoPage: true,
		columns: [
			{ label: t('kind.desktop'), cell: (b) => b.is_there ? link('desktops', b.desktop) : h('strong', {}, b.desktop.name) },
			{ label: t('kind.user'), cell: (b) => link('users', b.user) },
			{ label: t('field.state'), cell: (b) => chip(isWorking(b) ? 'building' : b.state, 'backup') },
			{ label: t('backup.made'), cell: (b) => b.made ? when(b.made) : '–' },
			{ label: t('backup.what'), cell: (b) => words(b), class: 'wide-cell' },
			{ label: t('kind.datastore'), cell: (b) => b.datastore || '–' },
		],
	};
}

/** What a pool wishes, in words. @param {any} p @returns {[string, import('../shared/dom.js').Child][]} */
export function backupRows(p) {
	return [[t('pool.backups'), p.backup_every_h ? t('pool.backupsValue', { hours: p.backup_every_h, full: p.backup_full_every_d, keep: p.backup_keep_d }) : t('pool.backupsNone')]];
}
