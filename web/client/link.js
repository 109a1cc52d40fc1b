// SPDX-License-Identifier: GPL-3.0-or-later
/** Where the Display runs: in a module worker on an OffscreenCanvas, or on this page where the browser lacks one of them. */

/**
 * @typedef {object} Link
 * @property {boolean} isWorker
 * @property {(command: {type: string, [key: string]: any}) => void} post
 */

/** @param {HTMLCanvasElement} canvas @param {(event: any) => void} onEvent @param {boolean} onPage no worker, for tests @returns {Link} */
export function openLink(canvas, onEvent, onPage) {
	if (!onPage && typeof Worker !== 'undefined' && 'transferControlToOffscreen' in canvas) {
		const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'puesto-display' });
		const offscreen = canvas.transferControlToOffscreen();
		worker.onmessage = (event) => onEvent(event.data);
		worker.onerror = (event) => onEvent({ type: 'closed', code: 4000, reason: event.message ?? 'worker', isEnded: false });
		worker.postMessage({ type: 'canvas', canvas: offscreen }, [offscreen]);
		return { isWorker: true, post: (command) => worker.postMessage(command) };
	}
	const display = import('./display.js').then(({ Display }) => new Display(canvas, (event) => onEvent(event)));
	return { isWorker: false, post: (command) => void display.then((d) => d.handle(command)) };
}
