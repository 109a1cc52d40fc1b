// SPDX-License-Identifier: GPL-3.0-or-later
/** Modal dialogs: focus stays inside, Esc closes, and the focus goes back to where it was. */

import { problemText } from './api.js';
import { h } from './dom.js';
import { addSentences, t } from './i18n.js';
import { icon } from './icons.js';

addSentences({
	'dialog.close': ['Close', 'Cerrar'],
	'dialog.cancel': ['Cancel', 'Cancelar'],
});

let nextId = 1;

/**
 * @param {string} title @param {import('./dom.js').Child | import('./dom.js').Child[]} body
 * @param {{isWide?: boolean, onClose?: () => void}} [options]
 */
export function openDialog(title, body, options = {}) {
	const id = `dialog-${nextId++}`;
	const dialog = h('dialog', { class: `dialog${options.isWide ? ' is-wide' : ''}`, 'aria-labelledby': id },
		h('header', {}, h('h2', { id }, title),
			h('button', { type: 'button', class: 'quiet', 'i18n-aria-label': 'dialog.close', on: { click: () => dialog.close() } }, icon('close'))),
		h('div', { class: 'dialog-body' }, body));
	dialog.addEventListener('close', () => {
		dialog.remove();
		options.onClose?.();
	});
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

/**
 * Asks, and does it when the answer is yes. An error stays in the dialog, which may be tried again.
 * @param {{title: string, text: string, action: string, isDanger?: boolean, run: () => Promise<unknown>}} question
 * @returns {Promise<boolean>} whether it was done
 */
export function confirmAction(question) {
	return new Promise((resolve) => {
		let isDone = false;
		const alert = h('p', { class: 'form-error', role: 'alert', hidden: true });
		const yes = h('button', { type: 'button', class: question.isDanger ? 'primary danger' : 'primary' }, question.action);
		const no = h('button', { type: 'button' }, t('dialog.cancel'));
		const dialog = openDialog(question.title, [h('p', { class: 'dialog-text' }, question.text), alert, h('div', { class: 'dialog-row' }, no, yes)],
			{ onClose: () => resolve(isDone) });
		no.addEventListener('click', () => dialog.close());
		yes.addEventListener('click', async () => {
			yes.disabled = true;
			alert.hidden = true;
			try {
				await question.run();
				isDone = true;
				dialog.close();
			} catch (reason) {
				alert.textContent = problemText(reason);
				alert.hidden = false;
				yes.disabled = false;
				yes.focus();
			}
		});
		(question.isDanger ? no : yes).focus();
	});
}
