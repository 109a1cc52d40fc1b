// SPDX-License-Identifier: GPL-3.0-or-later
/** The snapshots of one desktop, for its user and for administrators: a list, one more, back to one, away with one. */

import { api, problemText } from './api.js';
import { confirmAction, openDialog } from './dialog.js';
import { fill, h } from './dom.js';
import { Form } from './form.js';
import { addSentences, t } from './i18n.js';
import { icon } from './icons.js';
import { when } from './time.js';

addSentences({
	'snapshot.title': ['Snapshots', 'Instantáneas'],
	'snapshot.none': ['No snapshot yet.', 'Todavía no hay ninguna instantánea.'],
	'snapshot.lead': ['A snapshot keeps the disk as it is at that moment. All of them go when the desktop is made new.', 'Una instantánea guarda el disco tal como está en ese momento. Todas desaparecen cuando el escritorio se renueva.'],
	'snapshot.by': ['by {user},', 'de {user},'],
	'snapshot.take': ['Take a snapshot', 'Tomar una instantánea'],
	'snapshot.takeTitle': ['Snapshot of {desktop}', 'Instantánea de {desktop}'],
	'snapshot.name': ['Name', 'Nombre'],
	'snapshot.nameHelp': ['For instance before-update: letters, digits, dot, dash and underscore.', 'Por ejemplo antes-de-actualizar: letras sin tilde, cifras, punto, guion y guion bajo.'],
	'snapshot.revert': ['Go back', 'Volver'],
	'snapshot.revertLabel': ['Go back to {name}', 'Volver a {name}'],
	'snapshot.revertTitle': ['Go back to "{name}"?', '¿Volver a «{name}»?'],
	'snapshot.revertText': ['{desktop} becomes what it was then; everything that has changed on it since is lost.', '{desktop} queda como estaba entonces; se pierde todo lo que haya cambiado desde ese momento.'],
	'snapshot.drop': ['Remove', 'Eliminar'],
	'snapshot.dropLabel': ['Remove the snapshot {name}', 'Eliminar la instantánea {name}'],
	'snapshot.dropTitle': ['Remove the snapshot "{name}"?', '¿Eliminar la instantánea «{name}»?'],
	'snapshot.dropText': ['The desktop stays as it is; nobody can go back to this snapshot any more.', 'El escritorio sigue como está; ya no se podrá volver a esta instantánea.'],
});

/**
 * @typedef {object} SnapshotsOf
 * @property {string} at path of the list in the API
 * @property {string} desktop its name
 * @property {() => string} sent who is sent away when the desktop goes back, in words
 * @property {number} [max] how many there may be
 * @property {(what: 'take' | 'revert' | 'drop', name: string, task: any) => void} asked what the server has taken on, as a task of the desktop; the list is old until it is done
 */

export class Snapshots {
	/** @param {SnapshotsOf} of */
	constructor(of) {
		this.of = of;
		this.list = h('ul', { class: 'rows' });
		this.taker = h('button', { type: 'button', on: { click: () => this.take() } }, icon('camera'), t('snapshot.take'));
		this.turn = 0;
	}

	async load() {
		const turn = ++this.turn;
		try {
			const { data } = await api('GET', this.of.at);
			if (turn !== this.turn)
				return;
			this.#show(data.items.map((/** @type {any} */ s) => this.#row(s)));
		} catch (reason) {
			if (turn === this.turn)
				fill(this.list, h('li', { class: 'form-error' }, problemText(reason)));
		}
	}

	/** Who is on a button stays on it, or goes to another one. @param {HTMLElement[]} rows */
	#show(rows) {
		const { activeElement: here } = document;
		const hadFocus = here === this.taker || this.list.contains(here);
		const label = here?.getAttribute('aria-label');
		this.taker.disabled = rows.length >= (this.of.max ?? Infinity);
		fill(this.list, ...(rows.length ? rows : [h('li', { class: 'faint' }, t('snapshot.none'))]));
		if (hadFocus)
			([...this.list.querySelectorAll('button')].find((b) => b.getAttribute('aria-label') === label) ?? (this.taker.disabled ? this.list.querySelector('button') : this.taker))?.focus();
	}

	/** @param {any} s */
	#row(s) {
		return h('li', {}, h('strong', {}, s.name), h('span', { class: 'faint grow' }, s.by && `${t('snapshot.by', { user: s.by })} `, when(s.created)),
			h('span', { class: 'row-tools' },
				h('button', { type: 'button', class: 'quiet', 'aria-label': t('snapshot.revertLabel', { name: s.name }), on: { click: () => void this.#ask('revert', s.name) } }, icon('undo'), t('snapshot.revert')),
				h('button', { type: 'button', class: 'quiet', 'aria-label': t('snapshot.dropLabel', { name: s.name }), title: t('snapshot.drop'), on: { click: () => void this.#ask('drop', s.name) } }, icon('trash'))));
	}

	/** @param {'revert' | 'drop'} what @param {string} name */
	async #ask(what, name) {
		const { at, desktop, sent } = this.of;
		const path = `${at}/${encodeURIComponent(name)}`;
		const text = what === 'drop' ? t('snapshot.dropText') : `${t('snapshot.revertText', { desktop })} ${sent()}`.trim();
		/** @type {any} */
		let task = null;
		if (await confirmAction({ title: t(`snapshot.${what}Title`, { name }), text, action: t(`snapshot.${what}`), isDanger: true,
			run: async () => {
				const { data } = await (what === 'drop' ? api('DELETE', path) : api('POST', `${path}/revert`, {}));
				task = data.task;
			} }))
			this.of.asked(what, name, task);
	}

	take() {
		const form = new Form({ submit: t('snapshot.take'), fields: [{ name: 'name', label: t('snapshot.name'), isRequired: true, maxLength: 63, pattern: '^[A-Za-z0-9][A-Za-z0-9._\\-]*$', help: t('snapshot.nameHelp') }],
			run: (values) => api('POST', this.of.at, values), onCancel: () => dialog.close(), onDone: ({ data }) => {
				dialog.close();
				this.of.asked('take', form.values().name, data.task);
			} });
		const dialog = openDialog(t('snapshot.takeTitle', { desktop: this.of.desktop }), [h('p', { class: 'dialog-text' }, t('snapshot.lead')), form.element]);
		form.focus();
	}
}
