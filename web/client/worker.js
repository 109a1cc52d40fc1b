// SPDX-License-Identifier: GPL-3.0-or-later
/** The worker's shell around a Display. The first message brings the canvas. */

import { Display } from './display.js';
/* What lies deeper, named here so that all is fetched at once and not one level after the other. */
import './bars.js';
import './flat.js';
import './marks.js';
import './overlap.js';
import './picture.js';
import './protocol.js';
import './video.js';
import './zstd-fse.js';
import './zstd-huffman.js';
import './zstd.js';

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
