// SPDX-License-Identifier: GPL-3.0-or-later
/** What is picked in a list, and the bar with what can be done to all of it at once. */

import { problemText } from '../shared/api.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { act, formDialog } from './site.js';

/** Calls under way at the same time: the broker has others to serve. */
const AT_ONCE = 4;
const NAMED_MAX = 8;

/**
 * @typedef {object} BulkAction
 * @property {string} label
 * @property {import('../shared/icons.js').IconName} icon
 * @property {boolean} [isDanger]
 * @property {(object: any) => boolean} fits whether it can be done to this one
 * @property {string} text what it means
 * @property {string} [done] what is said afterwards
 * @property {import('../shared/form.js').Field[]} [fields] asked for first
 * @property {(object: any, values: any) => Promise<unknown>} run
 */

/**
 * Does it to each; what failed is told by name, and comes back.
 * @template T @param {T[]} objects @param {(object: T) => Promise<unknown>} run @param {(object: T) => string} nameOf
 * @returns {Promise<{object: T, text: string}[]>}
 */
export async function each(objects, run, nameOf) {
	const rest = [...objects];
	/** @type {{object: T, text: string}[]} */
	const failed = [];
	await Promise.all(Array.from({ length: Math.min(AT_ONCE, rest.length) }, async () => {
		for (let object = rest.shift(); object !== undefined; object = rest.shift()) {
			try {
				await run(object);
			} catch (reason) {
				failed.push({ object, text: `${nameOf(object)}: ${problemText(reason)}` });
			}
		}
	}));
	return failed;
}

export class Bulk {
	/** @param {BulkAction[]} actions @param {{find: (id: string) => any, shown: () => any[], nameOf: (object: any) => string, changed: () => void}} list */
	constructor(actions, list) {
		this.actions = actions;
		this.list = list;
		/** @type {Set<string>} */
		this.picked = new Set();
		this.said = '';
		this.all = h('input', { type: 'checkbox', on: { change: () => this.pickAll(this.all.checked) } });
		this.toggle = h('label', { class: 'pick-all' }, this.all, t('bulk.all'));
		this.bar = h('div', { class: 'bulk card', role: 'toolbar', 'aria-label': t('bulk.bar'), hidden: true });
	}

	/** @param {any} object */
	box(object) {
		const box = h('input', { type: 'checkbox', class: 'pick', checked: this.picked.has(object.id), 'aria-label': t('bulk.pick', { name: this.list.nameOf(object) }), on: { change: () => {
			if (box.checked)
				this.picked.add(object.id);
			else
				this.picked.delete(object.id);
			this.show();
		} } });
		return box;
	}

	/** @param {boolean} isOn */
	pickAll(isOn) {
		this.picked = new Set(isOn ? this.list.shown().map((o) => o.id) : []);
		this.list.changed();
		this.show();
	}

	/** Those that are still there. */
	#objects() {
		const objects = [...this.picked].map((id) => this.list.find(id)).filter(Boolean);
		this.picked = new Set(objects.map((o) => o.id));
		return objects;
	}

	show() {
		const objects = this.#objects();
		const shown = this.list.shown();
		this.toggle.hidden = !shown.length;
		this.all.checked = shown.length > 0 && shown.every((o) => this.picked.has(o.id));
		this.all.indeterminate = objects.length > 0 && !this.all.checked;
		this.bar.hidden = !objects.length;
		// Each change of a desktop comes through here: what says the same is left alone.
		const text = JSON.stringify([objects.length, ...this.actions.map((a) => objects.filter(a.fits).map((o) => o.id))]);
		if (text === this.said)
			return;
		this.said = text;
		const focused = this.bar.contains(document.activeElement) ? document.activeElement?.textContent : null;
		const buttons = this.actions.map((action) => ({ action, fitting: objects.filter(action.fits) })).filter(({ fitting }) => fitting.length)
			.map(({ action, fitting }) => h('button', { type: 'button', class: action.isDanger ? 'danger' : '', on: { click: () => this.#ask(action, fitting) } }, icon(action.icon),
				fitting.length === objects.length ? action.label : t('bulk.some', { action: action.label, n: fitting.length })));
		fill(this.bar, h('strong', { role: 'status' }, t(objects.length === 1 ? 'bulk.one' : 'bulk.many', { n: objects.length })), buttons,
			h('button', { type: 'button', class: 'quiet bulk-clear', 'aria-label': t('bulk.clear'), title: t('bulk.clear'), on: { click: () => this.pickAll(false) } }, icon('close')));
		buttons.find((b) => b.textContent === focused)?.focus();
	}

	/** @param {BulkAction} action @param {any[]} objects */
	#ask(action, objects) {
		const names = objects.slice(0, NAMED_MAX).map(this.list.nameOf).join(', ');
		const title = t(objects.length === 1 ? 'bulk.titleOne' : 'bulk.title', { action: action.label, n: objects.length });
		const lead = `${action.text} ${names}${objects.length > NAMED_MAX ? t('bulk.others', { n: objects.length - NAMED_MAX }) : ''}.`;
		let left = objects;
		const run = async (/** @type {any} */ values) => {
			const all = left.length;
			const failed = await each(left, (object) => action.run(object, values), this.list.nameOf);
			left = failed.map((f) => f.object);
			this.picked = new Set(left.map((o) => o.id));
			this.list.changed();
			this.show();
			if (failed.length)
				throw new Error(t('bulk.failed', { n: failed.length, all, names: failed.slice(0, NAMED_MAX).map((f) => f.text).join(' · ') }));
		};
		const done = action.done ?? t('act.asked');
		if (action.fields)
			formDialog({ title, lead, fields: action.fields, submit: action.label, done, run });
		else
			void act({ title, text: lead, action: action.label, done, isDanger: action.isDanger, run: () => run({}) });
	}
}
