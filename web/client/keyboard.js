// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The keyboard: key events become key presses by physical code and keysym; what the browser composes (dead keys, IME, phone keyboards) arrives in
 * a hidden text field and becomes text. A key that went down goes up again, whatever happens to the page in between.
 */

import { keycodeOf } from './keycodes.js';
import { isCharacter, keysymOf } from './keysyms.js';

const ALTGR_WAIT_MS = 60;
const PASTE_WAIT_MS = 40;
const FILLER = '\u00a0'.repeat(16); // something for Backspace to delete on phone keyboards

/**
 * @typedef {object} KeyboardSink
 * @property {(isDown: boolean, keysym: number, keycode: number) => void} key
 * @property {(text: string) => void} text
 * @property {() => void} release
 * @property {(text: string) => void} paste text for the desktop's clipboard
 * @property {() => void} menu the shortcut of the toolbar
 */

/** @param {string} platform navigator.platform or userAgent */
export function systemOf(platform) {
	if (/Mac|iPhone|iPad|iPod/i.test(platform))
		return 'mac';
	if (/Android/i.test(platform))
		return 'android';
	return /Win/i.test(platform) ? 'windows' : 'linux';
}

export class Keyboard {
	/**
	 * @param {HTMLTextAreaElement} field
	 * @param {KeyboardSink} sink
	 * @param {string} [system]
	 */
	constructor(field, sink, system = systemOf(navigator.userAgent)) {
		this.field = field;
		this.sink = sink;
		this.system = system;
		/** @type {Map<string, {keysym: number, keycode: number}>} what is down, by physical code */
		this.down = new Map();
		this.isComposing = false;
		/** A left Control that may be the first half of AltGr (Windows). */
		this.held = 0;
		/** The paste keys, which wait for the clipboard's text. @type {(() => void) | null} */
		this.pasting = null;
		this.live = '';
		field.addEventListener('keydown', (e) => this.onDown(e));
		field.addEventListener('keyup', (e) => this.onUp(e));
		field.addEventListener('compositionstart', () => this.#composes(true));
		field.addEventListener('compositionend', (e) => this.#composed(e));
		field.addEventListener('input', (e) => this.#onInput(/** @type {InputEvent} */ (e)));
		field.addEventListener('paste', (e) => this.#onPaste(e));
		field.addEventListener('blur', () => this.releaseAll());
		this.#refill();
	}

	#refill() {
		this.field.value = FILLER;
		this.live = FILLER;
		this.field.setSelectionRange(FILLER.length, FILLER.length);
	}

	/** @param {boolean} isDown @param {string} code @param {{keysym: number, keycode: number}} key */
	#send(isDown, code, key) {
		if (isDown)
			this.down.set(code, key);
		else
			this.down.delete(code);
		this.sink.key(isDown, key.keysym, key.keycode);
	}

	/** What this event's key is on the desktop. @param {KeyboardEvent} e */
	#keyOf(e) {
		let { key, code } = e;
		if (this.system === 'mac') {
			// Option chooses the third level, Command is what Control is elsewhere.
			if (key === 'Alt')
				return { keysym: 0xfe03, keycode: 100 };
			if (key === 'Meta')
				return { keysym: e.location === 2 ? 0xffe4 : 0xffe3, keycode: e.location === 2 ? 97 : 29 };
		}
		if (key === 'Alt' && code === 'AltRight' && this.system !== 'mac')
			return { keysym: 0xffea, keycode: 100 };
		return { keysym: keysymOf(key, e.location), keycode: keycodeOf(code) };
	}

	/** @param {KeyboardEvent} e */
	onDown(e) {
		if (e.ctrlKey && e.altKey && e.shiftKey && ['Control', 'Alt', 'Shift'].includes(e.key)) {
			e.preventDefault();
			this.releaseAll();
			this.sink.menu();
			return;
		}
		if (this.#isForComposition(e))
			return;
		if (this.#heldControl(e))
			return;
		if (e.key === 'CapsLock' || e.key === 'NumLock') {
			// Letters and digits already come as what the lock makes of them; a second lock on the desktop would undo it.
			e.preventDefault();
			return;
		}
		const key = this.#keyOf(e);
		if (!key.keysym && !key.keycode)
			return;
		if (this.#isPaste(e)) {
			this.#waitForPaste(e.code, key);
			return;
		}
		e.preventDefault();
		const id = e.code || e.key;
		const before = this.down.get(id);
		this.#send(true, id, before && e.repeat ? before : key);
		// macOS sends no keyup for keys that were pressed with Command.
		if (this.system === 'mac' && e.metaKey && e.key !== 'Meta')
			this.#send(false, id, key);
	}

	/** Keys that the browser or an input method is still making something of. @param {KeyboardEvent} e */
	#isForComposition(e) {
		return this.isComposing || e.isComposing || e.keyCode === 229 || e.key === 'Dead' || e.key === 'Process' || e.key === 'Unidentified';
	}

	/**
	 * Windows reports AltGr as left Control and right Alt: a left Control waits for a moment to see what follows.
	 * @param {KeyboardEvent} e @returns {boolean} the event is dealt with
	 */
	#heldControl(e) {
		if (this.held && e.code === 'AltRight' && (e.key === 'AltGraph' || this.system === 'windows')) {
			clearTimeout(this.held);
			this.held = 0;
			e.preventDefault();
			this.#send(true, 'AltRight', { keysym: 0xfe03, keycode: 100 });
			return true;
		}
		this.#flushControl();
		if (this.system !== 'windows' || e.code !== 'ControlLeft' || e.repeat || this.down.has('ControlLeft'))
			return false;
		e.preventDefault();
		this.held = /** @type {any} */ (setTimeout(() => this.#flushControl(), ALTGR_WAIT_MS));
		return true;
	}

	#flushControl() {
		if (!this.held)
			return;
		clearTimeout(this.held);
		this.held = 0;
		this.#send(true, 'ControlLeft', { keysym: 0xffe3, keycode: 29 });
	}

	/** @param {KeyboardEvent} e */
	#isPaste(e) {
		const isV = e.code === 'KeyV' || e.key.toLowerCase() === 'v';
		const isControl = this.system === 'mac' ? e.metaKey || e.ctrlKey : e.ctrlKey;
		return !e.repeat && (isControl && !e.altKey && isV || e.shiftKey && e.code === 'Insert');
	}

	/** The browser's paste event brings the clipboard without asking anybody; the key goes out behind it. @param {string} code @param {{keysym: number, keycode: number}} key */
	#waitForPaste(code, key) {
		this.pasting?.();
		const timer = setTimeout(() => this.pasting?.(), PASTE_WAIT_MS);
		this.pasting = () => {
			clearTimeout(timer);
			this.pasting = null;
			this.#send(true, code, key);
			if (this.system === 'mac')
				this.#send(false, code, key);
		};
	}

	/** @param {ClipboardEvent} e */
	#onPaste(e) {
		e.preventDefault();
		const text = e.clipboardData?.getData('text/plain');
		if (text)
			this.sink.paste(text);
		this.pasting?.();
	}

	/** @param {KeyboardEvent} e */
	onUp(e) {
		if (e.code === 'ControlLeft')
			this.#flushControl();
		this.pasting?.();
		const id = e.code || e.key;
		const key = this.down.get(id);
		if (!key)
			return;
		e.preventDefault();
		this.#send(false, id, key);
		// Windows sends one keyup when both Shift keys were down.
		if (this.system === 'windows' && e.key === 'Shift' && !e.shiftKey) {
			for (const other of ['ShiftLeft', 'ShiftRight']) {
				const shift = this.down.get(other);
				if (shift)
					this.#send(false, other, shift);
			}
		}
	}

	/** @param {boolean} on */
	#composes(on) {
		this.isComposing = on;
	}

	/** @param {CompositionEvent} e */
	#composed(e) {
		this.isComposing = false;
		if (this.system === 'android')
			this.#compare();
		else if (e.data)
			this.sink.text(e.data);
		this.#refill();
	}

	/** @param {InputEvent} e */
	#onInput(e) {
		if (this.system === 'android') {
			this.#compare();
			if (!this.isComposing)
				this.#refill();
			return;
		}
		if (this.isComposing || e.isComposing)
			return;
		if (e.inputType === 'insertText' && e.data)
			this.sink.text(e.data);
		else if (e.inputType === 'deleteContentBackward')
			this.#press(0xff08, 14);
		else if (e.inputType === 'insertLineBreak')
			this.#press(0xff0d, 28);
		this.#refill();
	}

	/** Phone keyboards rewrite the word as it is typed: what differs is deleted and typed anew. */
	#compare() {
		const now = this.field.value;
		const old = this.live;
		let same = 0;
		while (same < old.length && same < now.length && old[same] === now[same])
			same++;
		for (let i = [...old.slice(same)].length; i > 0; i--)
			this.#press(0xff08, 14);
		for (const [i, line] of now.slice(same).split('\n').entries()) {
			if (i > 0)
				this.#press(0xff0d, 28);
			if (line)
				this.sink.text(line);
		}
		this.live = now;
	}

	/** @param {number} keysym @param {number} keycode */
	#press(keysym, keycode) {
		this.sink.key(true, keysym, keycode);
		this.sink.key(false, keysym, keycode);
	}

	/** Sends a combination from the menu. @param {[number, number][]} keys keysym and keycode, pressed in this order */
	chord(keys) {
		for (const [keysym, keycode] of keys)
			this.sink.key(true, keysym, keycode);
		for (const [keysym, keycode] of [...keys].reverse())
			this.sink.key(false, keysym, keycode);
	}

	releaseAll() {
		clearTimeout(this.held);
		this.held = 0;
		this.pasting = null;
		this.isComposing = false;
		this.down.clear();
		this.sink.release();
		this.#refill();
	}
}

export { isCharacter };
