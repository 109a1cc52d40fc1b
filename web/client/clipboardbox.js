// SPDX-License-Identifier: GPL-3.0-or-later
/** The menu's clipboard box, for browsers that do not let a page use their clipboard. */

import { t } from '../shared/i18n.js';

/** @param {string} id @returns {any} */
const $ = (id) => document.getElementById(id);

/** @param {import('./clipboard.js').Clipboard} clipboard */
export function openClipboardBox(clipboard) {
	$('clipboard-text').value = clipboard.fromDesktop;
	$('clipboard-give').disabled = !clipboard.isInAllowed;
	$('clipboard-copy').disabled = !clipboard.isOutAllowed;
	$('clipboard-policy').textContent = [clipboard.isInAllowed ? '' : t('clipboard.inForbidden'), clipboard.isOutAllowed ? '' : t('clipboard.outForbidden')].join(' ').trim();
	$('clipboard').showModal();
	$('clipboard-text').select();
}

/** @param {import('./clipboard.js').Clipboard} clipboard @param {(key: string) => void} say @param {() => void} closed */
export function listenToClipboardBox(clipboard, say, closed) {
	$('clipboard').addEventListener('close', closed);
	$('clipboard-give').addEventListener('click', () => {
		clipboard.give($('clipboard-text').value);
		if (clipboard.isInAllowed)
			say('clipboard.given');
	});
	$('clipboard-copy').addEventListener('click', () => {
		$('clipboard-text').value = clipboard.fromDesktop;
		$('clipboard-text').select();
		say(document.execCommand('copy') ? 'clipboard.copied' : 'clipboard.notCopied');
	});
}
