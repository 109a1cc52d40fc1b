// SPDX-License-Identifier: GPL-3.0-or-later
/** The bearer tokens of a user, for programs: made, shown once, taken back. */

import { api, problemText } from '../shared/api.js';
import { openDialog } from '../shared/dialog.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { when } from '../shared/time.js';
import { toast } from '../shared/toast.js';
import { act, formDialog, part } from './site.js';

const DAY = 86400;

/** The secret is in one answer only. @param {string} secret */
function showSecret(secret) {
	const field = h('input', { class: 'mono', readOnly: true, value: secret, 'aria-label': t('tokens.secret') });
	const copy = h('button', { type: 'button', class: 'primary', on: { click: async () => {
		field.select();
		const isCopied = await navigator.clipboard?.writeText(secret).then(() => true, () => false);
		toast(t(isCopied ? 'tokens.copied' : 'tokens.notCopied'), isCopied ? 'good' : 'bad');
	} } }, icon('copy'), t('tokens.copy'));
	openDialog(t('tokens.secretTitle'), [h('p', { class: 'dialog-text' }, t('tokens.secretText')), h('div', { class: 'explain-row' }, field, copy)]);
	field.select();
}

/** @param {any} user */
export function tokensCard(user) {
	const at = `/users/${part(user.id)}/tokens`;
	const list = h('ul', { class: 'rows' });
	const remove = (/** @type {any} */ token) => void act({ title: t('tokens.removeTitle', { name: token.name }), text: t('tokens.removeText'), action: t('tokens.remove'), done: t('act.done'), isDanger: true,
		run: () => api('DELETE', `${at}/${part(token.id)}`), after: () => void load() });
	const row = (/** @type {any} */ token) => h('li', {}, h('strong', {}, token.name || token.id.slice(0, 8)), h('span', { class: 'faint grow' }, t('tokens.until'), ' ', token.expires ? when(token.expires) : t('tokens.removed'), ' · ', t('tokens.used'), ' ', when(token.last_used)),
		h('button', { type: 'button', class: 'quiet', 'aria-label': t('tokens.removeLabel', { name: token.name }), on: { click: () => remove(token) } }, icon('trash')));
	const load = async () => {
		try {
			const { data } = await api('GET', at);
			fill(list, ...(data.items.length ? data.items.map(row) : [h('li', { class: 'faint' }, t('tokens.none'))]));
		} catch (reason) {
			fill(list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	};
	const add = () => formDialog({ title: t('tokens.add'), lead: t('tokens.addLead', { name: user.name }), submit: t('tokens.add'), done: t('act.created'), values: { expires_s: 90 * DAY },
		fields: [{ name: 'name', label: t('field.name'), maxLength: 64, isRequired: true, help: t('tokens.nameHelp') }, { name: 'expires_s', label: t('tokens.life'), type: 'duration', help: t('tokens.lifeHelp') }],
		run: (values) => api('POST', at, values.expires_s ? values : { name: values.name }), after: (token) => {
			showSecret(token.token);
			void load();
		} });
	void load();
	return h('div', { class: 'card sheet' }, h('header', { class: 'sheet-head' }, h('h2', {}, t('tokens.title')), h('button', { type: 'button', on: { click: add } }, icon('add'), t('tokens.add'))), list);
}
