// SPDX-License-Identifier: GPL-3.0-or-later
/** The keyboard's rules for each system, on events made by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

const { Keyboard, systemOf } = await import('../../web/client/keyboard.js');

/** A keyboard on a field that is none, and what it sends. */
function keyboard(system) {
	const sent = [];
	const field = { addEventListener() {}, setSelectionRange() {}, value: '' };
	const sink = { key: (down, keysym) => sent.push([down ? 'down' : 'up', keysym]), text: (text) => sent.push(['text', text]), release: () => sent.push(['release']),
		paste: (text) => sent.push(['paste', text]), menu: () => sent.push(['menu']) };
	const k = new Keyboard(field, sink, system);
	const event = (key, code, more) => ({ key, code, location: 0, repeat: false, keyCode: 0, preventDefault() {}, ...more });
	return { sent, down: (key, code, more = {}) => k.onDown(event(key, code, more)), up: (key, code, more = {}) => k.onUp(event(key, code, more)), k };
}

test('AltGr on Windows is ISO_Level3_Shift without the Control in front of it', () => {
	const { sent, down, up } = keyboard('windows');
	down('Control', 'ControlLeft', { location: 1 });
	down('AltGraph', 'AltRight', { location: 2 });
	down('@', 'KeyQ', { ctrlKey: true, altKey: true });
	up('@', 'KeyQ');
	up('Control', 'ControlLeft', { location: 1 });
	up('AltGraph', 'AltRight', { location: 2 });
	assert.deepEqual(sent, [['down', 0xfe03], ['down', 0x40], ['up', 0x40], ['up', 0xfe03]]);
});

test('a plain Control on Windows goes out before the next key', () => {
	const { sent, down, up } = keyboard('windows');
	down('Control', 'ControlLeft', { location: 1 });
	down('c', 'KeyC', { ctrlKey: true });
	up('c', 'KeyC');
	up('Control', 'ControlLeft', { location: 1 });
	assert.deepEqual(sent, [['down', 0xffe3], ['down', 0x63], ['up', 0x63], ['up', 0xffe3]]);
});

test('on a Mac Command is Control and its keys come up by themselves', () => {
	const { sent, down, up } = keyboard('mac');
	down('Meta', 'MetaLeft', { location: 1, metaKey: true });
	down('c', 'KeyC', { metaKey: true });
	up('Meta', 'MetaLeft', { location: 1 });
	assert.deepEqual(sent, [['down', 0xffe3], ['down', 0x63], ['up', 0x63], ['up', 0xffe3]]);
});

test('a key comes up with the keysym that it went down with', () => {
	const { sent, down, up } = keyboard('linux');
	down('Shift', 'ShiftLeft', { location: 1 });
	down('A', 'KeyA', { shiftKey: true });
	up('Shift', 'ShiftLeft', { location: 1 });
	up('a', 'KeyA');
	assert.deepEqual(sent, [['down', 0xffe1], ['down', 0x41], ['up', 0xffe1], ['up', 0x41]]);
});

test('repeats stay one key, locks and unknown keys stay here, dead keys wait for the text', () => {
	const { sent, down, up } = keyboard('linux');
	down('a', 'KeyA');
	down('a', 'KeyA', { repeat: true });
	up('a', 'KeyA');
	up('a', 'KeyA');
	down('CapsLock', 'CapsLock');
	down('NumLock', 'NumLock');
	down('Dead', 'Quote');
	down('Process', 'KeyB', { keyCode: 229 });
	assert.deepEqual(sent, [['down', 0x61], ['down', 0x61], ['up', 0x61]]);
});

test('losing focus releases everything, and a late keyup is nothing', () => {
	const { sent, down, up, k } = keyboard('linux');
	down('Control', 'ControlLeft', { location: 1 });
	k.releaseAll();
	up('Control', 'ControlLeft', { location: 1 });
	assert.deepEqual(sent, [['down', 0xffe3], ['release']]);
});

test('Ctrl+Alt+Shift opens the menu with nothing left down', () => {
	const { sent, down } = keyboard('linux');
	down('Control', 'ControlLeft', { location: 1, ctrlKey: true });
	down('Alt', 'AltLeft', { location: 1, ctrlKey: true, altKey: true });
	down('Shift', 'ShiftLeft', { location: 1, ctrlKey: true, altKey: true, shiftKey: true });
	assert.deepEqual(sent.slice(-2), [['release'], ['menu']]);
});

test('systems are told by the user agent', () => {
	const agents = { mac: 'Macintosh; Intel Mac OS X 10_15_7', windows: 'Windows NT 10.0; Win64', android: 'Linux; Android 14; Pixel', linux: 'X11; Linux x86_64' };
	for (const [system, agent] of Object.entries(agents))
		assert.equal(systemOf(agent), system);
});
