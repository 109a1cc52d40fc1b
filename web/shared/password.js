// SPDX-License-Identifier: GPL-3.0-or-later
/** "Change my password". */

import { api } from './api.js';
import { openDialog } from './dialog.js';
import { Form } from './form.js';
import { addSentences, t } from './i18n.js';
import { toast } from './toast.js';

addSentences({
	'password.title': ['Change my password', 'Cambiar mi contraseña'],
	'password.current': ['Current password', 'Contraseña actual'],
	'password.new': ['New password', 'Contraseña nueva'],
	'password.repeat': ['New password again', 'Contraseña nueva otra vez'],
	'password.help': ['At least 8 characters. Several words that only you put together are good.', 'Al menos 8 caracteres. Varias palabras que solo usted juntaría valen bien.'],
	'password.differs': ['The two new passwords differ.', 'Las dos contraseñas nuevas no coinciden.'],
	'password.submit': ['Change it', 'Cambiarla'],
	'password.done': ['Your password is changed; your other log-ins have ended.', 'Contraseña cambiada; sus otros inicios de sesión han terminado.'],
});

export function openPassword() {
	const form = new Form({
		fields: [
			{ name: 'current', label: t('password.current'), type: 'password', autocomplete: 'current-password', isRequired: true },
			{ name: 'password', label: t('password.new'), type: 'password', autocomplete: 'new-password', isRequired: true, minLength: 8, help: t('password.help') },
			{ name: 'repeat', label: t('password.repeat'), type: 'password', autocomplete: 'new-password', isRequired: true },
		],
		submit: t('password.submit'),
		check: (values) => values.password === values.repeat ? null : { field: 'repeat', text: t('password.differs') },
		run: ({ current, password }) => api('POST', '/me/password', { current, password }),
		onDone: () => {
			dialog.close();
			toast(t('password.done'), 'good');
		},
		onCancel: () => dialog.close(),
	});
	const dialog = openDialog(t('password.title'), form.element);
	form.focus();
}
