// SPDX-License-Identifier: GPL-3.0-or-later
/** The combinations that a browser or the operating system keeps for itself, for the menu to send. */

/** keysym and evdev code, pressed in this order @typedef {[number, number][]} Chord */

/** @type {Record<string, [number, number]>} */
const KEY = {
	Ctrl: [0xffe3, 29], Alt: [0xffe9, 56], Shift: [0xffe1, 42], Super: [0xffeb, 125], Tab: [0xff09, 15], Esc: [0xff1b, 1], Del: [0xffff, 111], F4: [0xffc1, 62], F11: [0xffc8, 87],
	PrtSc: [0xff61, 99], W: [0x77, 17], T: [0x74, 20], N: [0x6e, 49],
};

/** Spanish keyboards name two keys differently. @type {Record<string, string>} */
const SPANISH = { Del: 'Supr', Shift: 'Mayús', PrtSc: 'ImpPnt' };

const COMBINATIONS = ['Ctrl+Alt+Del', 'Alt+Tab', 'Alt+F4', 'Super', 'Ctrl+W', 'Ctrl+T', 'Ctrl+N', 'Ctrl+Shift+Esc', 'Esc', 'F11', 'PrtSc'];

/** @param {'en' | 'es'} language @returns {{label: string, chord: Chord}[]} */
export function specialKeys(language) {
	return COMBINATIONS.map((name) => {
		const keys = name.split('+');
		return { label: keys.map((key) => language === 'es' ? SPANISH[key] ?? key : key).join('+'), chord: keys.map((key) => KEY[key]) };
	});
}
