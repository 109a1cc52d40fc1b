// SPDX-License-Identifier: GPL-3.0-or-later
/** The worker's shell around a Display. The first message brings the canvas. */

import { Display } from './display.js';

/** @type {Display | null} */
let display = null;

self.onmessage = (event) => {
	if (event.data.type === 'canvas') {
		const post = /** @type {any} */ (self).postMessage.bind(self);
		display = new Display(event.data.canvas, (message, transfer = []) => post(message, transfer));
		return;
	}
	display?.handle(event.data);
};
