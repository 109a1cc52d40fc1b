// SPDX-License-Identifier: GPL-3.0-or-later
/** The page of one object: Summary, Timeline, Why and Raw, live. */

import { api, problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { pick, t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { menuButton } from '../shared/menu.js';
import { chip } from '../shared/states.js';
import { when } from '../shared/time.js';
import { EventLog } from './event-log.js';
import { href } from './router.js';
import { live, part } from './site.js';

/**
 * @typedef {object} ObjectKind
 * @property {string} noun
 * @property {string} kind
 * @property {string} list title of its list
 * @property {(object: any) => string} title
 * @property {(object: any) => [string, import('../shared/dom.js').Child][]} summary
 * @property {(object: any, page: ObjectPage) => HTMLElement[]} [below] more below the summary; made once and told of changes by `page.onChange`
 * @property {(object: any) => (HTMLElement | null)[]} [why] beside the reason
 * @property {(object: any) => HTMLElement} [ask] a form below the reason
 * @property {(object: any) => import('./site.js').Action[]} actions
 * @property {() => Promise<void>} [prepare] what must be known before the object is shown
 * @property {string[]} [passing] fields that are not there when there is nothing to say
 */

const TABS = ['summary', 'timeline', 'why', 'raw'];

/** @param {[string, import('../shared/dom.js').Child][]} rows */
export function facts(rows) {
	return h('dl', { class: 'facts' }, rows.flatMap(([label, value]) => [h('dt', {}, label), h('dd', {}, value === '' || value === null ? '–' : value)]));
}

export class ObjectPage {
	/** @param {ObjectKind} kind @param {import('./router.js').Route} place */
	constructor(kind, place) {
		this.kind = kind;
		this.id = place.id;
		this.tab = TABS.includes(place.tab) ? place.tab : 'summary';
		/** @type {any} */
		this.object = null;
		/** @type {EventLog | null} */
		this.log = null;
		this.turn = 0;
		this.title = kind.list;
		/** @type {((object: any) => void)[]} */
		this.watchers = [];
		/** @type {HTMLElement | null} */
		this.whyFacts = null;
		this.head = h('header', { class: 'page-head', on: { menuclosed: () => this.#showHead() } });
		this.alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		this.panel = h('div', { id: 'object-panel', role: 'tabpanel', class: 'object-panel', tabindex: 0, 'aria-labelledby': `tab-${this.tab}` });
		this.tabs = this.#tabList();
		this.element = h('section', { class: 'page' }, h('a', { class: 'back', href: href(kind.noun) }, icon('back'), kind.list), this.head, this.alert, this.tabs, this.panel);
		this.ends = [live.on(kind.kind, ({ id, object }) => id === this.object?.id && this.#changed(object)), live.on('reset', () => void this.load())];
		void this.load();
	}

	close() {
		this.turn++;
		this.log?.close();
		for (const end of this.ends)
			end();
	}

	/** @param {(object: any) => void} run called with the object now and at each change */
	onChange(run) {
		this.watchers.push(run);
		run(this.object);
	}

	#tabList() {
		const links = TABS.map((name) => h('a', { role: 'tab', id: `tab-${name}`, href: href(this.kind.noun, this.id, name === 'summary' ? '' : name), 'aria-controls': 'object-panel',
			'aria-selected': String(name === this.tab), tabindex: name === this.tab ? 0 : -1 }, t(`tab.${name}`)));
		return h('div', { class: 'tabs', role: 'tablist', on: { keydown: (/** @type {KeyboardEvent} */ e) => {
			const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
			const now = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
			if (step && now >= 0)
				links[(now + step + links.length) % links.length].focus();
		} } }, links);
	}

	async load() {
		const turn = ++this.turn;
		try {
			const [{ data }] = await Promise.all([api('GET', `/${this.kind.noun}/${part(this.id)}`), this.kind.prepare?.()]);
			if (turn !== this.turn)
				return;
			this.alert.hidden = true;
			this.object = data;
			this.show();
		} catch (reason) {
			if (turn !== this.turn)
				return;
			this.alert.textContent = problemText(reason);
			this.alert.hidden = false;
			this.tabs.hidden = !this.object;
		}
	}

	/** The stream has the object without what only its own address gives. @param {any | null} object */
	#changed(object) {
		if (!object) {
			this.alert.textContent = t('object.gone');
			this.alert.hidden = false;
			fill(/** @type {HTMLElement} */ (this.head.querySelector('.page-actions') ?? h('div')));
			return;
		}
		const gone = Object.fromEntries((this.kind.passing ?? []).map((name) => [name, undefined]));
		this.object = { ...this.object, ...gone, ...object };
		this.show();
	}

	show() {
		const { object, kind } = this;
		this.title = kind.title(object);
		document.title = `${this.title} – Puesto`;
		this.tabs.hidden = false;
		if (!this.head.querySelector('[aria-expanded="true"]'))
			this.#showHead();
		this.#showTab();
		for (const run of this.watchers)
			run(object);
	}

	/** Not while its menu is open. */
	#showHead() {
		const { object, kind } = this;
		const named = (/** @type {Element | null} */ e) => e?.getAttribute('aria-label') ?? e?.textContent;
		const hadFocus = this.head.contains(document.activeElement) ? named(document.activeElement) : null;
		const offered = kind.actions(object);
		const shown = offered.filter((a) => !a.isMore).map((a) => h('button', { type: 'button', class: a.isDanger ? 'danger' : a.isPrimary ? 'primary' : '', on: { click: a.run } }, icon(a.icon), a.label));
		const more = offered.some((a) => a.isMore) && menuButton([icon('more')], t('list.actionsOf', { name: this.title }), () => kind.actions(this.object).filter((a) => a.isMore));
		fill(this.head, h('div', { class: 'object-name' }, h('h1', {}, this.title), object.state && chip(object.state, kind.kind)), h('div', { class: 'page-actions' }, shown, more));
		[...this.head.querySelectorAll('button')].find((b) => named(b) === hadFocus)?.focus();
	}

	#showTab() {
		const { object, kind } = this;
		const reason = pick(object.reason);
		switch (this.tab) {
		case 'timeline':
			if (!this.log)
				fill(this.panel, (this.log = new EventLog({ object: object.id }, true)).element);
			break;
		case 'why':
			this.#showWhy(reason);
			break;
		case 'raw':
			fill(this.panel, h('pre', { class: 'raw', tabindex: 0 }, JSON.stringify(object, null, 2)));
			break;
		default:
			this.#showSummary(reason);
		}
	}

	/** What is asked in the form stays while the facts above it change. @param {string} reason */
	#showWhy(reason) {
		const { object, kind } = this;
		if (!this.whyFacts)
			fill(this.panel, this.whyFacts = h('div', { class: 'why' }), kind.ask?.(object));
		fill(this.whyFacts, h('p', { class: 'why-reason' }, reason || t('why.nothing')), ...(kind.why?.(object) ?? []));
	}

	/** @param {string} reason */
	#showSummary(reason) {
		const { object, kind } = this;
		/** @type {[string, import('../shared/dom.js').Child][]} */
		const stamps = [[t('field.created'), when(object.created)], [t('field.updated'), when(object.updated)], [t('field.id'), h('span', { class: 'mono' }, object.id)]];
		const sheet = h('div', { class: 'card sheet' }, reason && h('p', { class: 'sheet-reason' }, reason), facts([...kind.summary(object), ...stamps]));
		const old = this.panel.querySelector(':scope > .sheet');
		if (old)
			old.replaceWith(sheet);
		else
			fill(this.panel, sheet, ...(kind.below?.(object, this) ?? []));
	}
}
