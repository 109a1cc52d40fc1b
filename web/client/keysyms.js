// SPDX-License-Identifier: GPL-3.0-or-later
/** KeyboardEvent.key (with its location) → X11 keysym (X11/keysymdef.h). */

/** @type {Record<string, number>} */
const NAMED = {
	Backspace: 0xff08, Tab: 0xff09, Clear: 0xff0b, Enter: 0xff0d, Pause: 0xff13, ScrollLock: 0xff14, Escape: 0xff1b, Delete: 0xffff,
	Home: 0xff50, ArrowLeft: 0xff51, ArrowUp: 0xff52, ArrowRight: 0xff53, ArrowDown: 0xff54, PageUp: 0xff55, PageDown: 0xff56, End: 0xff57,
	Select: 0xff60, PrintScreen: 0xff61, Execute: 0xff62, Insert: 0xff63, Undo: 0xff65, Redo: 0xff66, ContextMenu: 0xff67, Find: 0xff68,
	Cancel: 0xff69, Help: 0xff6a, NumLock: 0xff7f, CapsLock: 0xffe5, AltGraph: 0xfe03, Hyper: 0xffed, ModeChange: 0xff7e,
	// Input methods
	Compose: 0xff20, KanjiMode: 0xff21, NonConvert: 0xff22, Convert: 0xff23, Romaji: 0xff24, Hiragana: 0xff25, Katakana: 0xff26,
	HiraganaKatakana: 0xff27, Zenkaku: 0xff28, Hankaku: 0xff29, ZenkakuHankaku: 0xff2a, KanaMode: 0xff2d, Eisu: 0xff30, Alphanumeric: 0xff30,
	HangulMode: 0xff31, HanjaMode: 0xff34, CodeInput: 0xff37, SingleCandidate: 0xff3c, AllCandidates: 0xff3d, PreviousCandidate: 0xff3e,
	// XF86
	BrightnessUp: 0x1008ff02, BrightnessDown: 0x1008ff03, AudioVolumeDown: 0x1008ff11, AudioVolumeMute: 0x1008ff12,
	AudioVolumeUp: 0x1008ff13, MediaPlayPause: 0x1008ff14, MediaPlay: 0x1008ff14, MediaStop: 0x1008ff15, MediaTrackPrevious: 0x1008ff16,
	MediaTrackNext: 0x1008ff17, BrowserHome: 0x1008ff18, LaunchMail: 0x1008ff19, BrowserSearch: 0x1008ff1b, LaunchApplication2: 0x1008ff1d,
	BrowserBack: 0x1008ff26, BrowserForward: 0x1008ff27, BrowserStop: 0x1008ff28, BrowserRefresh: 0x1008ff29, PowerOff: 0x1008ff2a,
	WakeUp: 0x1008ff2b, Eject: 0x1008ff2c, Standby: 0x1008ff2f, BrowserFavorites: 0x1008ff30, MediaPause: 0x1008ff31, Copy: 0x1008ff57,
	Cut: 0x1008ff58, Paste: 0x1008ff6d, ZoomIn: 0x1008ff8b, ZoomOut: 0x1008ff8c, MediaRewind: 0x1008ff3e, MediaFastForward: 0x1008ff97,
};
for (let i = 1; i <= 35; i++)
	NAMED[`F${i}`] = 0xffbd + i;

/** Left and right of the modifiers. @type {Record<string, [number, number]>} */
const SIDES = {
	Shift: [0xffe1, 0xffe2], Control: [0xffe3, 0xffe4], Alt: [0xffe9, 0xffea], Meta: [0xffeb, 0xffec], OS: [0xffeb, 0xffec], Super: [0xffeb, 0xffec],
};

/** The number pad, with and without NumLock. @type {Record<string, number>} */
const NUMPAD = {
	' ': 0xff80, Tab: 0xff89, Enter: 0xff8d, F1: 0xff91, F2: 0xff92, F3: 0xff93, F4: 0xff94, Home: 0xff95, ArrowLeft: 0xff96, ArrowUp: 0xff97,
	ArrowRight: 0xff98, ArrowDown: 0xff99, PageUp: 0xff9a, PageDown: 0xff9b, End: 0xff9c, Clear: 0xff9d, Insert: 0xff9e, Delete: 0xff9f,
	'*': 0xffaa, '+': 0xffab, '-': 0xffad, '/': 0xffaf, '=': 0xffbd,
};
for (let i = 0; i <= 9; i++)
	NUMPAD[String(i)] = 0xffb0 + i;

/** Dead keys by the accent that they draw on their own. @type {Record<string, number>} */
const DEAD = {
	'`': 0xfe50, '´': 0xfe51, '^': 0xfe52, '~': 0xfe53, '¯': 0xfe54, '˘': 0xfe55, '˙': 0xfe56, '¨': 0xfe57, '°': 0xfe58, '˝': 0xfe59,
	'ˇ': 0xfe5a, '¸': 0xfe5b, '˛': 0xfe5c,
};

/** Characters whose old keysyms are what keyboards map, outside of Latin-1. @type {Record<string, number>} */
const OLD = {
	'€': 0x20ac, 'Œ': 0x13bc, 'œ': 0x13bd, 'Ÿ': 0x13be, 'Š': 0x1a9, 'š': 0x1b9, 'Ž': 0x1ae, 'ž': 0x1be, 'Ą': 0x1a1, 'ą': 0x1b1, 'Ł': 0x1a3,
	'ł': 0x1b3, 'Ś': 0x1a6, 'ś': 0x1b6, 'Ş': 0x1aa, 'ş': 0x1ba, 'Ź': 0x1ac, 'ź': 0x1bc, 'Ż': 0x1af, 'ż': 0x1bf, 'Ć': 0x1c6, 'ć': 0x1e6,
	'Č': 0x1c8, 'č': 0x1e8, 'Ę': 0x1ca, 'ę': 0x1ea, 'Ě': 0x1cc, 'ě': 0x1ec, 'Ď': 0x1cf, 'ď': 0x1ef, 'Đ': 0x1d0, 'đ': 0x1f0, 'Ń': 0x1d1,
	'ń': 0x1f1, 'Ň': 0x1d2, 'ň': 0x1f2, 'Ő': 0x1d5, 'ő': 0x1f5, 'Ř': 0x1d8, 'ř': 0x1f8, 'Ů': 0x1d9, 'ů': 0x1f9, 'Ű': 0x1db, 'ű': 0x1fb,
	'Ť': 0x1ab, 'ť': 0x1bb, 'Ğ': 0x2ab, 'ğ': 0x2bb, 'İ': 0x2a9, 'ı': 0x2b9,
};

/** @param {string} character one code point @returns {number} */
export function keysymOfCharacter(character) {
	const point = character.codePointAt(0) ?? 0;
	if (OLD[character])
		return OLD[character];
	if (point >= 0x20 && point <= 0x7e || point >= 0xa0 && point <= 0xff)
		return point;
	if (point < 0x20 || point === 0x7f)
		return { 8: 0xff08, 9: 0xff09, 10: 0xff0d, 13: 0xff0d, 27: 0xff1b, 127: 0xffff }[point] ?? 0;
	return 0x01000000 | point;
}

/** @param {string} accent @returns {number} 0 when there is none */
export function deadKeysym(accent) {
	return DEAD[accent] ?? 0;
}

/** @param {string} key @returns {boolean} the key gives one character */
export function isCharacter(key) {
	return key.length > 0 && [...key].length === 1;
}

/**
 * @param {string} key KeyboardEvent.key
 * @param {number} location KeyboardEvent.location
 * @returns {number} 0 when there is no keysym for it (dead keys, unidentified keys)
 */
export function keysymOf(key, location) {
	if (location === 3) {
		if (NUMPAD[key] !== undefined)
			return NUMPAD[key];
		if (key === '.' || key === 'Decimal')
			return 0xffae;
		if (key === ',' || key === 'Separator')
			return 0xffac;
	}
	const sides = Object.hasOwn(SIDES, key) ? SIDES[key] : undefined;
	if (sides)
		return sides[location === 2 ? 1 : 0];
	if (isCharacter(key))
		return keysymOfCharacter(key);
	return Object.hasOwn(NAMED, key) ? NAMED[key] : 0;
}
