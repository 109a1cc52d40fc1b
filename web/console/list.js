// SPDX-License-Identifier: GPL-3.0-or-later
/** A page with a list: searched, filtered, fetched page by page, and kept up to date by the event stream. */

import { api, problemText } from '../shared/api.js';
import { fill, h, setText } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { Keyed } from '../shared/keyed.js';
import { menuButton } from '../shared/menu.js';
import { Bulk } from './bulk.js';
import { href, remember } from './router.js';
import { all, live } from './site.js';

const TYPING_MS = 250;
const LOCAL_MAX = 2000;
/** The first page comes fast; whoever wants more wants many. */
const MORE = 200;

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(object: any) => import('../shared/dom.js').Child} cell
 * @property {string} [class]
 *
 * @typedef {object} Filter
 * @property {string} name of the query parameter
 * @property {string} label
 * @property {[string, string][] | (() => Promise<[string, string][]>)} options
 * @property {(object: any, value: string) => boolean} fits decides about an object that arrives by the stream
 *
 * @typedef {object} ListKind
 * @property {string} noun
 * @property {string} kind of the events
 * @property {string} title
 * @property {string} lead
 * @property {Column[]} columns
 * @property {Filter[]} [filters]
 * @property {(object: any) => string} text what the search looks at
 * @property {boolean} [isServerSearch] the API knows `?q=`
 * @property {(a: any, b: any) => number} compare
 * @property {(object: any) => import('./site.js').Action[]} actions
 * @property {import('./bulk.js').BulkAction[]} [bulk] what can be done to many at once
 * @property {import('./site.js').Action[]} [create]
 * @property {boolean} [hasNoPage] its objects have no page of their own
 * @property {string} empty
 * @property {Record<string, string>} [preset] filters when the address has none
 */

/** @param {any} a @param {any} b */
export const byName = (a, b) => String(a.name).localeCompare(String(b.name), undefined, { numeric: true });

/** @param {any} a @param {any} b */
export const newestFirst = (a, b) => String(b.created).localeCompare(String(a.created));

/** What tells a row from the others. @param {any} object */
function labelOf(object) {
	if (object.name)
		return object.name;
	const who = object.user?.name ?? object.group?.name;
	return [who, object.desktop?.name ?? object.pool?.name].filter(Boolean).join(' – ');
}

export class ListPage {
	/** @param {ListKind} kind @param {import('./router.js').Route} place */
	constructor(kind, place) {
		this.kind = kind;
		/** @type {Map<string, any>} */
		this.items = new Map();
		/** @type {string | null} */
		this.next = null;
		this.turn = 0;
		this.timer = 0;
		this.isLoaded = false;
		const hasQuery = [...place.query.keys()].length > 0;
		/** @type {Record<string, string>} */
		this.wanted = Object.fromEntries((kind.filters ?? []).map((f) => [f.name, (hasQuery ? place.query.get(f.name) : kind.preset?.[f.name]) ?? '']));
		this.query = place.query.get('q') ?? '';
		this.title = kind.title;
		this.count = h('p', { class: 'faint list-count', role: 'status' });
		this.alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		this.body = h('tbody', { on: { menuclosed: () => this.show() } });
		this.rows = new Keyed(this.body, { key: (/** @type {any} */ o) => o.id, create: (o) => this.#row(o) });
		this.more = h('button', { type: 'button', hidden: true, on: { click: () => void this.#fetch(false) } }, t('list.more'));
		this.empty = h('div', { class: 'empty', hidden: true });
		this.table = h('table', { class: 'list', on: { keydown: (/** @type {KeyboardEvent} */ e) => this.#arrow(e) } },
			h('caption', { class: 'sr' }, kind.title),
			h('thead', {}, h('tr', {}, kind.columns.map((c) => h('th', { scope: 'col', class: c.class }, c.label)), h('th', { scope: 'col' }, h('span', { class: 'sr' }, t('list.actions'))))), this.body);
		this.bulk = kind.bulk ? new Bulk(kind.bulk, { find: (id) => this.items.get(id), shown: () => this.shown, nameOf: labelOf, changed: () => this.#markPicked() }) : null;
		/** @type {any[]} */
		this.shown = [];
		this.element = this.#build();
		this.ends = [live.on(kind.kind, (change) => this.#changed(change)), live.on('reset', () => void this.load())];
		void this.load();
	}

	close() {
		this.turn++;
		clearTimeout(this.timer);
		for (const end of this.ends)
			end();
	}

	#build() {
		const { kind } = this;
		return h('section', { class: 'page' },
			h('header', { class: 'page-head' }, h('div', {}, h('h1', {}, kind.title), h('p', { class: 'faint' }, kind.lead)),
				h('div', { class: 'page-actions' }, (kind.create ?? []).map((a) => h('button', { type: 'button', class: a.isDanger ? 'danger' : 'primary', on: { click: a.run } }, icon(a.icon), a.label)))),
			h('div', { class: 'filters', role: 'search' }, this.#search(), (kind.filters ?? []).map((f) => this.#filter(f)), this.bulk?.toggle, this.count),
			this.alert, h('div', { class: 'card table-card' }, this.table, this.empty), h('div', { class: 'list-foot' }, this.more), this.bulk?.bar);
	}

	#search() {
		const input = h('input', { type: 'search', value: this.query, placeholder: t('list.search'), 'aria-label': t('list.search'), maxlength: 64 });
		input.addEventListener('input', () => {
			clearTimeout(this.timer);
			this.timer = /** @type {any} */ (setTimeout(() => {
				this.query = input.value.trim();
				this.#wish();
			}, TYPING_MS));
		});
		return h('label', { class: 'search' }, icon('search'), input);
	}

	/** @param {Filter} filter */
	#filter(filter) {
		const select = h('select', { 'aria-label': filter.label }, h('option', { value: '' }, filter.label));
		const put = (/** @type {[string, string][]} */ options) => {
			const value = this.wanted[filter.name];
			if (value && !options.some(([v]) => v === value))
				options = [...options, [value, value]];
			select.append(...options.map(([v, text]) => h('option', { value: v }, text)));
			select.value = value;
		};
		if (typeof filter.options === 'function')
			filter.options().then(put, () => put([]));
		else
			put(filter.options);
		select.addEventListener('change', () => {
			this.wanted[filter.name] = select.value;
			this.#wish();
		});
		return select;
	}

	/** Search or filters are new. */
	#wish() {
		remember(href(this.kind.noun, '', '', { ...this.wanted, q: this.query }));
		void this.load();
	}

	get #isLocalSearch() {
		return Boolean(this.query) && !this.kind.isServerSearch;
	}

	#path() {
		const query = new URLSearchParams(Object.entries(this.wanted).filter(([, value]) => value));
		if (this.query && this.kind.isServerSearch)
			query.set('q', this.query);
		return `/${this.kind.noun}?${query}`;
	}

	load() {
		return this.#fetch(true);
	}

	/** @param {boolean} isFirst */
	async #fetch(isFirst) {
		const turn = ++this.turn;
		this.element.setAttribute('aria-busy', 'true');
		this.more.disabled = true;
		try {
			const page = await this.#page(isFirst);
			if (turn !== this.turn)
				return;
			if (isFirst)
				this.items.clear();
			for (const item of page.items)
				this.items.set(item.id, item);
			this.next = page.next;
			this.isLoaded = true;
			this.alert.hidden = true;
			this.show();
		} catch (reason) {
			if (turn !== this.turn)
				return;
			this.alert.textContent = problemText(reason);
			this.alert.hidden = false;
		}
		this.more.disabled = false;
		this.element.removeAttribute('aria-busy');
	}

	/** @param {boolean} isFirst @returns {Promise<{items: any[], next: string | null}>} */
	async #page(isFirst) {
		if (this.#isLocalSearch)
			return { items: await all(this.#path(), LOCAL_MAX), next: null };
		const { data } = await api('GET', `${this.#path()}${isFirst ? '' : `&limit=${MORE}&cursor=${encodeURIComponent(this.next ?? '')}`}`);
		return data;
	}

	/** @param {any} object */
	#fits(object) {
		const { filters = [] } = this.kind;
		return filters.every((f) => !this.wanted[f.name] || f.fits(object, this.wanted[f.name])) && this.#found(object);
	}

	/** @param {any} object */
	#found(object) {
		return !this.query || this.kind.text(object).toLowerCase().includes(this.query.toLowerCase());
	}

	/** @param {import('../shared/live.js').Change} change */
	#changed({ id, object }) {
		if (!this.isLoaded)
			return;
		if (object && object.state !== 'deleted' && object.lifecycle !== 'deleted' && this.#fits(object))
			this.items.set(id, object);
		else if (!this.items.delete(id))
			return;
		this.show();
	}

	show() {
		const items = [...this.items.values()].filter((o) => this.#found(o)).sort(this.kind.compare);
		this.shown = items;
		this.rows.show(items);
		this.bulk?.show();
		const isFiltered = Boolean(this.query) || Object.entries(this.wanted).some(([name, value]) => value !== (this.kind.preset?.[name] ?? ''));
		this.table.hidden = !items.length;
		this.empty.hidden = items.length > 0;
		if (!items.length)
			fill(this.empty, icon('search'), h('p', {}, isFiltered ? t('list.none') : this.kind.empty));
		this.more.hidden = !this.next;
		setText(this.count, t(this.next ? 'list.countMore' : items.length === 1 ? 'list.countOne' : 'list.count', { n: items.length }));
	}

	#markPicked() {
		for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (this.body.querySelectorAll('.pick')))
			box.checked = Boolean(this.bulk?.picked.has(box.closest('tr')?.dataset.id ?? ''));
	}

	/** @param {any} object */
	#row(object) {
		const { columns, actions, noun } = this.kind;
		const cells = columns.map((c, i) => {
			const inside = i === 0 && noun !== 'entitlements' && !this.kind.hasNoPage ? h('a', { class: 'row-link', href: href(noun, object.id) }, c.cell(object)) : c.cell(object);
			return h('td', { 'data-label': c.label, class: c.class }, i === 0 && this.bulk ? h('span', { class: 'picked' }, this.bulk.box(object), inside) : inside);
		});
		const offered = actions(object);
		return h('tr', { 'data-id': object.id }, cells, h('td', { class: 'row-actions' },
			offered.length > 0 && menuButton([icon('more')], t('list.actionsOf', { name: labelOf(object) }), () => actions(object), 'quiet')));
	}

	/** Up and down move between the rows. @param {KeyboardEvent} e */
	#arrow(e) {
		const target = /** @type {HTMLElement} */ (e.target);
		if ((e.key !== 'ArrowDown' && e.key !== 'ArrowUp') || !target.classList.contains('row-link'))
			return;
		const links = /** @type {HTMLElement[]} */ ([...this.body.querySelectorAll('.row-link')]);
		links[links.indexOf(target) + (e.key === 'ArrowDown' ? 1 : -1)]?.focus();
		e.preventDefault();
	}
}
