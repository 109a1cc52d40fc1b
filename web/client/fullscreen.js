// SPDX-License-Identifier: GPL-3.0-or-later
/** The whole screen for the desktop, and with it the keys that a browser keeps for itself otherwise. */

const LOCKED_KEYS = ['Escape', 'Tab', 'AltLeft', 'AltRight', 'MetaLeft', 'MetaRight', 'ControlLeft', 'ControlRight', 'KeyW', 'KeyT', 'KeyN', 'F11'];

/** @param {(key: string) => void} say a sentence of i18n for people */
export async function toggleFullscreen(say) {
	if (document.fullscreenElement) {
		await document.exitFullscreen();
		return;
	}
	try {
		await document.documentElement.requestFullscreen({ navigationUI: 'hide' });
	} catch {
		say('fullscreen.denied');
		return;
	}
	// Where the browser can, keys such as Alt+Tab and Ctrl+W go to the desktop as well.
	const { keyboard: keys } = /** @type {any} */ (navigator);
	if (keys?.lock)
		await keys.lock(LOCKED_KEYS).catch(() => {});
	else
		say('fullscreen.noLock');
}
