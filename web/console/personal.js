// SPDX-License-Identifier: GPL-3.0-or-later
/** A user's own disks, one of each pool that gives them: where they are, more room, and the end of one. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { formDialog, link, live, part } from './site.js';
import './words-storage.js';

/** @param {number} mb */
const size = (mb) => mb >= 1024 && mb % 1024 === 0 ? `${mb / 1024} GiB` : `${mb} MiB`;

/** @param {any} user @param {import('./object.js').ObjectPage} page */
export function personalCard(user, page) {
	const list = h('ul', { class: 'rows' });
	const at = (/** @type {any} */ d) => `/personal/${part(d.user.id)}/${part(d.pool.id)}`;
	const grow = (/** @type {any} */ d) => formDialog({ title: t('personal.growTitle', { pool: d.pool.name }), lead: t('personal.growLead'), values: { size_mb: d.size_mb }, submit: t('personal.grow'), done: t('act.savedPlain'),
		fields: [{ name: 'size_mb', label: t('personal.size'), type: 'number', min: d.size_mb, max: 67108864, isRequired: true }], run: (values) => api('PATCH', at(d), values), after: () => void load() });
	const remove = (/** @type {any} */ d) => formDialog({ title: t('personal.removeTitle', { user: user.name, pool: d.pool.name }), lead: t('personal.removeText'), values: { keep_days: 7 }, submit: t('personal.remove'), done: t('act.done'),
		fields: [{ name: 'keep_days', label: t('personal.keepDays'), type: 'number', min: 0, max: 400, isRequired: true, help: t('personal.keepDaysHelp') }],
		run: (values) => api('DELETE', `${at(d)}?keep_days=${Number(values.keep_days)}`), after: () => void load() });
	const row = (/** @type {any} */ d) => h('li', {}, h('span', { class: 'grow' }, link('pools', d.pool), ` · ${size(d.size_mb)} · `, d.desktop ? link('desktops', d.desktop) : h('span', { class: 'faint' }, t('personal.used'), ' ', when(d.used)),
		h('span', { class: 'faint reason' }, ` · ${pick(d.reason)}`)), chip(d.state, 'personal'),
	d.state === 'removing' ? null : h('button', { type: 'button', class: 'quiet', 'aria-label': t('personal.growLabel', { pool: d.pool.name }), on: { click: () => grow(d) } }, icon('edit')),
	d.state === 'removing' ? null : h('button', { type: 'button', class: 'quiet', 'aria-label': t('personal.removeLabel', { pool: d.pool.name }), on: { click: () => remove(d) } }, icon('trash')));
	const load = async () => {
		try {
			const { data } = await api('GET', `/users/${part(user.id)}/personal`);
			fill(list, ...(data.items.length ? data.items.map(row) : [h('li', { class: 'faint' }, t('personal.none'))]));
		} catch (reason) {
			fill(list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	};
	page.ends.push(live.on('user', () => void load()));
	void load();
	return h('div', { class: 'card sheet' }, h('h2', {}, t('personal.title')), list);
}
