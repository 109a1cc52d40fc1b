// SPDX-License-Identifier: GPL-3.0-or-later
/** What this page says beside the client's sentences, English and Spanish. */

import { addSentences } from '../shared/i18n.js';

addSentences({
	'novnc.title': ['noVNC – Puesto', 'noVNC – Puesto'],
	'novnc.missing': ['noVNC is not on this server', 'noVNC no está en este servidor'],
	'novnc.missingText': ['Your administrator can add it with deploy/novnc. The portal opens your desktop without it.',
		'Su administrador puede añadirlo con deploy/novnc. El portal abre su escritorio sin él.'],
	'novnc.keys': ['Ctrl+Alt+Del', 'Ctrl+Alt+Supr'],
	'novnc.clipboard': ['Text goes in from here: give it to the desktop, then paste it there. What the desktop copies stands here too.',
		'El texto entra por aquí: páselo al escritorio y péguelo allí. Lo que copie el escritorio aparece aquí también.'],
	'novnc.bell': ['The desktop rang.', 'El escritorio ha dado un aviso.'],
});
