// SPDX-License-Identifier: GPL-3.0-or-later
/** "Why can, or cannot, this user open this pool?" */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { look, part } from './site.js';
import './words-hosts.js';

let nextId = 1;

/** @param {any} answer */
function verdict(answer) {
	return [
		h('p', { class: `banner is-${answer.allowed ? 'good' : 'bad'}` }, icon(answer.allowed ? 'check' : 'alert'),
			h('span', {}, t(answer.allowed ? 'explain.yes' : 'explain.no', { user: answer.user.name, pool: answer.pool.name }))),
		h('ol', { class: 'checks' }, answer.checks.map((/** @type {any} */ c) => h('li', { class: c.ok ? 'is-good' : 'is-bad' }, icon(c.ok ? 'check' : 'close'),
			h('span', {}, h('span', { class: 'sr' }, t(c.ok ? 'explain.passed' : 'explain.failed')), pick(c))))),
		answer.placement ? h('p', { class: 'faint' }, t('explain.placement', { desktop: answer.placement.desktop.name, host: answer.placement.host, why: pick({ en: answer.placement.en ?? '', es: answer.placement.es ?? '' }) })) : null,
	];
}

/**
 * One of the two is known, the other one is asked for.
 * @param {{user?: string, pool?: string}} known
 */
export function explainForm(known) {
	const id = `explain-${nextId++}`;
	const noun = known.user ? 'pools' : 'users';
	const list = h('datalist', { id: `${id}-list` });
	const input = h('input', { id, list: list.id, autocomplete: 'off', maxlength: 64, required: true });
	const offer = async () => {
		const found = await look(noun)(input.value.trim()).catch(() => []);
		list.replaceChildren(...found.map((/** @type {[string, string]} */ [value, text]) => h('option', { value }, text)));
	};
	input.addEventListener('focus', () => void offer(), { once: true });
	input.addEventListener('input', () => void offer());
	const answer = h('div', { role: 'status' });
	const ask = async () => {
		const user = known.user ?? input.value.trim();
		const pool = known.pool ?? input.value.trim();
		if (!user || !pool) {
			input.focus();
			return;
		}
		try {
			const { data } = await api('GET', `/explain?user=${part(user)}&pool=${part(pool)}`);
			fill(answer, ...verdict(data));
		} catch (reason) {
			fill(answer, h('p', { class: 'form-error' }, problemText(reason)));
		}
	};
	return h('form', { class: 'card explain', novalidate: true, on: { submit: (/** @type {Event} */ e) => {
		e.preventDefault();
		void ask();
	} } }, h('h2', {}, t('explain.title')), h('label', { for: id }, t(known.user ? 'explain.pool' : 'explain.user')),
		h('div', { class: 'explain-row' }, input, h('button', { type: 'submit', class: 'primary' }, t('explain.ask'))), list, answer);
}
