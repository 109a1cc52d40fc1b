// SPDX-License-Identifier: GPL-3.0-or-later
/** KeyboardEvent.code → Linux evdev code (linux/input-event-codes.h). */

/** @type {Record<string, number>} */
const CODES = {
	Escape: 1, Digit1: 2, Digit2: 3, Digit3: 4, Digit4: 5, Digit5: 6, Digit6: 7, Digit7: 8, Digit8: 9, Digit9: 10, Digit0: 11,
	Minus: 12, Equal: 13, Backspace: 14, Tab: 15, BracketLeft: 26, BracketRight: 27, Enter: 28, ControlLeft: 29,
	Semicolon: 39, Quote: 40, Backquote: 41, ShiftLeft: 42, Backslash: 43, Comma: 51, Period: 52, Slash: 53, ShiftRight: 54,
	NumpadMultiply: 55, AltLeft: 56, Space: 57, CapsLock: 58, NumLock: 69, ScrollLock: 70, Numpad7: 71, Numpad8: 72, Numpad9: 73,
	NumpadSubtract: 74, Numpad4: 75, Numpad5: 76, Numpad6: 77, NumpadAdd: 78, Numpad1: 79, Numpad2: 80, Numpad3: 81, Numpad0: 82,
	NumpadDecimal: 83, IntlBackslash: 86, F11: 87, F12: 88, IntlRo: 89, Convert: 92, KanaMode: 93, NonConvert: 94, Lang3: 90, Lang4: 91,
	NumpadEnter: 96, ControlRight: 97, NumpadDivide: 98, PrintScreen: 99, AltRight: 100, Home: 102, ArrowUp: 103, PageUp: 104,
	ArrowLeft: 105, ArrowRight: 106, End: 107, ArrowDown: 108, PageDown: 109, Insert: 110, Delete: 111, AudioVolumeMute: 113,
	AudioVolumeDown: 114, AudioVolumeUp: 115, Power: 116, NumpadEqual: 117, Pause: 119, NumpadComma: 121, Lang1: 122, Lang2: 123, IntlYen: 124,
	MetaLeft: 125, MetaRight: 126, ContextMenu: 127, Again: 129, Undo: 131, Copy: 133, Open: 134, Paste: 135, Find: 136, Cut: 137, Help: 138,
	LaunchApp2: 140, Sleep: 142, WakeUp: 143, LaunchMail: 155, BrowserFavorites: 156, BrowserBack: 158, BrowserForward: 159, Eject: 161,
	MediaTrackNext: 163, MediaPlayPause: 164, MediaTrackPrevious: 165, MediaStop: 166, BrowserHome: 172, BrowserRefresh: 173,
	NumpadParenLeft: 179, NumpadParenRight: 180, BrowserSearch: 217,
};

const ROWS = [[16, 'QWERTYUIOP'], [30, 'ASDFGHJKL'], [44, 'ZXCVBNM']];
for (const [first, letters] of /** @type {[number, string][]} */ (ROWS)) {
	for (let i = 0; i < letters.length; i++)
		CODES[`Key${letters[i]}`] = first + i;
}
for (let i = 1; i <= 10; i++)
	CODES[`F${i}`] = 58 + i;
for (let i = 13; i <= 24; i++)
	CODES[`F${i}`] = 170 + i;

/** @param {string} code @returns {number} 0 when unknown */
export function keycodeOf(code) {
	return CODES[code] ?? 0;
}
