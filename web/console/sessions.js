// SPDX-License-Identifier: GPL-3.0-or-later
/** Display sessions: who looks at which desktop, from where, by which protocol. */

import { api } from '../shared/api.js';
import { number, pick, t } from '../shared/i18n.js';
import { chip, stateWord } from '../shared/states.js';
import { when } from '../shared/time.js';
import { h } from '../shared/dom.js';
import { newestFirst } from './list.js';
import { act, choices, link, part } from './site.js';

/** @param {string} protocol */
const protocolWord = (protocol) => t(`protocol.${protocol}`);

/** @param {any} s @returns {import('./site.js').Action[]} */
export function sessionActions(s) {
	if (s.state === 'ended')
		return [];
	const watch = /** @type {import('./site.js').Action} */ ({ label: t('session.watch'), icon: 'eye', run: () => void window.open(`/client/#watch=${part(s.id)}`, '_blank', 'noopener') });
	return [...s.state === 'active' && s.protocol === 'ws' ? [watch] : [], { label: t('session.disconnect'), icon: 'plug', isDanger: true, run: () => void act({ title: t('session.disconnectTitle', { user: s.user?.name ?? '' }), text: t('session.disconnectText'),
		action: t('session.disconnect'), done: t('session.disconnected'), isDanger: true, run: () => api('DELETE', `/sessions/${part(s.id)}`) }) }];
}

/** @returns {import('./list.js').ListKind} */
export function sessionList() {
	return {
		noun: 'sessions', kind: 'session', title: t('nav.sessions'), lead: t('sessions.lead'), empty: t('sessions.empty'), compare: newestFirst, actions: sessionActions, preset: { state: 'live' },
		isServerSearch: true, text: (s) => `${s.user?.name} ${s.desktop?.name}`,
		bulk: [{ label: t('session.disconnect'), icon: 'plug', isDanger: true, fits: (s) => s.state !== 'ended', text: t('session.disconnectAll'), done: t('session.disconnected'),
			run: (s) => api('DELETE', `/sessions/${part(s.id)}`) }],
		create: [{ label: t('session.endAll'), icon: 'logout', isDanger: true, run: () => void act({ title: t('session.endAllTitle'), text: t('session.endAllText'), action: t('session.endAll'), done: t('act.done'), isDanger: true,
			run: () => api('POST', '/revoke-all', {}) }) }],
		columns: [
			{ label: t('kind.user'), cell: (s) => s.user?.name ?? '–' },
			{ label: t('kind.desktop'), cell: (s) => link('desktops', s.desktop) },
			{ label: t('kind.pool'), cell: (s) => link('pools', s.pool) },
			{ label: t('field.state'), cell: (s) => chip(s.state) },
			{ label: t('field.protocol'), cell: (s) => protocolWord(s.protocol) },
			{ label: t('field.remote'), cell: (s) => h('span', { class: 'mono' }, s.remote) },
			{ label: t('field.started'), cell: (s) => when(s.started ?? s.created) },
		],
		filters: [
			{ name: 'state', label: t('filter.state'), options: [['live', t('sessions.live')], ...['granted', 'active', 'ended'].map((s) => /** @type {[string, string]} */ ([s, stateWord(s)]))],
				fits: (s, value) => value === 'live' ? s.state !== 'ended' : s.state === value },
			{ name: 'pool', label: t('filter.pool'), options: () => choices('pools'), fits: (s, value) => s.pool?.name === value || s.pool?.id === value },
		],
	};
}

/** How a figure of the worker is shown; others as they come. @type {Record<string, (value: number) => string>} */
const FIGURES = {
	bytes_out: (n) => t('unit.mb', { n: number(n / 1e6, { maximumFractionDigits: 1 }) }),
	bytes_in: (n) => t('unit.kb', { n: number(n / 1e3, { maximumFractionDigits: 1 }) }),
	rtt_us: (n) => t('unit.ms', { n: number(n / 1000, { maximumFractionDigits: 1 }) }),
	rate_kbps: (n) => t('unit.mbps', { n: number(n / 1000, { maximumFractionDigits: 1 }) }),
};

/** @param {any} stats @returns {[string, import('../shared/dom.js').Child][]} */
function statistics(stats) {
	return Object.entries(stats ?? {}).filter(([, value]) => typeof value !== 'object').map(([key, value]) => {
		const word = t(`stat.${key}`);
		return [word === `stat.${key}` ? key.replaceAll('_', ' ') : word, typeof value !== 'number' ? String(value) : FIGURES[key]?.(value) ?? number(value)];
	});
}

/** Who looks on besides the user, each with a button that ends it. @param {any} s */
function guests(s) {
	if (!s.guests?.length)
		return t('session.noGuests');
	return h('ul', { class: 'guests' }, ...s.guests.map((/** @type {any} */ g) => h('li', {}, t(g.can_input ? 'session.guestViews' : 'session.guestWatches', { name: g.name }), ' ', when(g.since), ' ',
		h('button', { type: 'button', on: { click: () => void act({ title: t('session.endGuestTitle', { name: g.name }), text: t('session.endGuestText'), action: t('session.endGuest'),
			done: t('act.done'), isDanger: true, run: () => api('DELETE', `/sessions/${part(s.id)}/guests/${part(g.id)}`) }) } }, t('session.endGuest')))));
}

/** @returns {import('./object.js').ObjectKind} */
export function sessionPage() {
	return {
		noun: 'sessions', kind: 'session', list: t('nav.sessions'), actions: sessionActions,
		title: (s) => t('session.title', { user: s.user?.name ?? '–', desktop: s.desktop?.name ?? '–' }),
		summary: (s) => [[t('kind.user'), link('users', s.user)], [t('kind.desktop'), link('desktops', s.desktop)], [t('kind.pool'), link('pools', s.pool)], [t('field.protocol'), protocolWord(s.protocol)],
			[t('field.remote'), s.remote], [t('field.gateway'), s.gateway], [t('field.epoch'), String(s.epoch)], [t('field.started'), when(s.started)],
			[t('field.ended'), s.ended ? when(s.ended) : t('session.goesOn')], [t('field.guests'), guests(s)], [t('field.why'), pick(s.reason)], ...statistics(s.stats)],
	};
}
