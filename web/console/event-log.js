// SPDX-License-Identifier: GPL-3.0-or-later
/** Events of the audit, newest first, live, with what each one says. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { Keyed } from '../shared/keyed.js';
import { when } from '../shared/time.js';
import { detailValue, detailWord, eventTone, eventWord } from './event-words.js';
import { href } from './router.js';
import { live, NOUNS } from './site.js';

/** Live events beyond this let go of the oldest. */
const SHOWN_MAX = 1000;

/** @param {any} event */
function actorOf(event) {
	const { kind, name, remote, id } = event.actor;
	const who = name && id ? h('a', { href: href('users', id) }, name) : h('span', {}, name || (kind === 'system' || !kind ? t('event.bySystem') : kind));
	return h('span', { class: 'event-actor' }, who, remote ? h('span', { class: 'faint' }, ` · ${remote}`) : null);
}

/** @param {any} event */
function objectOf(event) {
	const { kind, id } = event.object;
	const said = event.detail?.[kind];
	const last = event.kind.endsWith('.deleted') ? event.detail?.text : '';
	const name = event.detail?.name || last || (said && !UUID.test(said) ? said : '') || (id ? id.slice(0, 8) : '');
	if (id === event.actor.id)
		return null;
	if (!id || !NOUNS[kind] || kind === 'entitlement')
		return name ? h('span', {}, name) : null;
	return h('a', { href: href(NOUNS[kind], id) }, name);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DETAIL_MAX = 160;

/** One value of a detail: a link where it names an object by its id. @param {string} key @param {any} value */
function valueOf(key, value) {
	const noun = NOUNS[key.replace(/_id$/, '')];
	if (noun && UUID.test(String(value)))
		return h('a', { href: href(noun, value) }, String(value).slice(0, 8));
	return typeof value === 'object' ? JSON.stringify(value) : detailValue(key, String(value));
}

/** What else is known: a line, or, where it is long, folded. @param {any} event */
function detailOf(event) {
	const { kind } = event.object;
	const known = new Set(['name', UUID.test(String(event.detail?.[kind])) ? '' : kind]);
	const all = Object.entries(event.detail ?? {}).filter(([key, value]) => value !== null && value !== '' && !known.has(key) && value !== event.detail.name && value !== event.actor.remote && value !== event.object.id);
	if (!all.length)
		return null;
	if (JSON.stringify(all).length > DETAIL_MAX)
		return h('details', { class: 'event-detail' }, h('summary', {}, t('event.details')), h('pre', { class: 'mono' }, JSON.stringify(event.detail, null, 2)));
	return h('span', { class: 'faint event-detail' }, all.flatMap(([key, value], i) => [i ? ' · ' : '', detailWord(key), valueOf(key, value)]));
}

/** @param {any} event @param {boolean} isOfOne whether every event is of the same object */
export function eventRow(event, isOfOne = false) {
	return h('li', { class: `event is-${eventTone(event.kind)}`, 'data-seq': event.seq },
		h('span', { class: 'event-dot', 'aria-hidden': 'true' }),
		h('div', { class: 'event-main' },
			h('p', { class: 'event-what' }, h('strong', { title: event.kind }, eventWord(event.kind)), !isOfOne && objectOf(event)),
			h('p', { class: 'event-more' }, actorOf(event), detailOf(event))),
		when(event.time));
}

export class EventLog {
	/**
	 * @param {Record<string, string>} wanted `kind`, `object`, `user` as the API takes them
	 * @param {boolean} isOfOne
	 * @param {{limit?: number}} [options] `limit`: the latest few only
	 */
	constructor(wanted, isOfOne, options = {}) {
		this.wanted = wanted;
		this.limit = options.limit ?? 0;
		/** @type {any[]} */
		this.events = [];
		/** @type {string | null} */
		this.next = null;
		this.turn = 0;
		this.list = h('ol', { class: 'events', 'aria-label': t('nav.events') });
		this.rows = new Keyed(this.list, { key: (/** @type {any} */ e) => e.id, create: (e) => eventRow(e, isOfOne) });
		this.empty = h('div', { class: 'empty', hidden: true }, icon('events'), h('p', {}, t('event.none')));
		this.alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		this.more = h('button', { type: 'button', hidden: true, on: { click: () => void this.load(false) } }, t('list.more'));
		this.element = h('div', {}, this.alert, h('div', { class: 'card' }, this.list, this.empty), this.limit ? null : h('div', { class: 'list-foot' }, this.more));
		this.ends = [live.on('audit', (event) => this.#arrived(event)), live.on('reset', () => void this.load(true))];
		void this.load(true);
	}

	close() {
		this.turn++;
		for (const end of this.ends)
			end();
	}

	/** @param {boolean} isFirst */
	async load(isFirst) {
		const turn = ++this.turn;
		this.more.disabled = true;
		const query = new URLSearchParams(Object.entries(this.wanted).filter(([, value]) => value));
		if (this.limit)
			query.set('limit', String(this.limit));
		if (!isFirst && this.next)
			query.set('cursor', this.next);
		try {
			const { data } = await api('GET', `/events?${query}`);
			if (turn !== this.turn)
				return;
			this.events = isFirst ? data.items : [...this.events, ...data.items];
			this.next = data.next;
			this.alert.hidden = true;
			this.#show();
		} catch (reason) {
			if (turn !== this.turn)
				return;
			this.alert.textContent = problemText(reason);
			this.alert.hidden = false;
		}
		this.more.disabled = false;
	}

	/** @param {any} event */
	#arrived(event) {
		const { kind = '', object = '', user = '' } = this.wanted;
		const isWanted = (!kind || (kind.endsWith('.') ? event.kind.startsWith(kind) : event.kind === kind)) && (!object || event.object.id === object) &&
			(!user || event.actor.name === user || event.actor.id === user);
		if (!isWanted || this.events.some((e) => e.id === event.id))
			return;
		this.events = [event, ...this.events].slice(0, this.limit || SHOWN_MAX);
		this.#show();
	}

	#show() {
		this.rows.show(this.events);
		this.empty.hidden = this.events.length > 0;
		this.list.hidden = !this.events.length;
		this.more.hidden = !this.next;
	}
}

/** The page "Events". */
export class EventsPage {
	/** @param {import('./router.js').Route} place @param {(wanted: Record<string, string>) => void} remembered @param {[string, string][]} families */
	constructor(place, remembered, families) {
		this.title = t('nav.events');
		this.wanted = { kind: place.query.get('kind') ?? '', user: place.query.get('user') ?? '', object: place.query.get('object') ?? '' };
		this.holder = h('div');
		this.verdict = h('p', { class: 'banner', role: 'status', hidden: true });
		const kind = h('select', { 'aria-label': t('event.allKinds'), value: this.wanted.kind }, h('option', { value: '' }, t('event.allKinds')),
			families.map(([value, text]) => h('option', { value }, text)));
		kind.value = this.wanted.kind;
		const user = h('input', { type: 'search', value: this.wanted.user, placeholder: t('event.byUser'), 'aria-label': t('event.byUser'), maxlength: 64 });
		const object = h('input', { type: 'search', value: this.wanted.object, placeholder: t('event.byObject'), 'aria-label': t('event.byObject'), maxlength: 64 });
		const changed = () => {
			this.wanted = { kind: kind.value, user: user.value.trim(), object: object.value.trim() };
			remembered(this.wanted);
			this.#open();
		};
		for (const input of [kind, user, object])
			input.addEventListener('change', changed);
		const check = h('button', { type: 'button', on: { click: () => void this.#verify(check) } }, icon('shield'), t('event.verify'));
		this.element = h('section', { class: 'page' },
			h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, t('nav.events')), h('p', { class: 'faint' }, t('event.lead'))), h('div', { class: 'page-actions' }, check)),
			this.verdict, h('div', { class: 'filters', role: 'search' }, kind, user, object), this.holder);
		this.#open();
	}

	close() {
		this.log?.close();
	}

	#open() {
		this.log?.close();
		this.log = new EventLog(this.wanted, false);
		fill(this.holder, this.log.element);
	}

	/** @param {HTMLButtonElement} button */
	async #verify(button) {
		button.disabled = true;
		try {
			const { data } = await api('GET', '/events/verify');
			this.verdict.className = `banner is-${data.ok ? 'good' : 'bad'}`;
			fill(this.verdict, icon(data.ok ? 'check' : 'alert'), h('span', {}, t(data.ok ? 'event.chainGood' : 'event.chainBad', { n: data.ok ? data.events : data.broken_seq })));
		} catch (reason) {
			this.verdict.className = 'banner is-bad';
			fill(this.verdict, icon('alert'), h('span', {}, problemText(reason)));
		}
		this.verdict.hidden = false;
		button.disabled = false;
	}
}
