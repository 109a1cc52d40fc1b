// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Where the picture stands on the page. Everything is reckoned in the screen's own pixels and put on whole ones: at 125 % or 150 % a picture that
 * begins half a pixel further is blurred as a whole.
 */

const STORED = 'puesto.zoom';
export const ZOOMS = [100, 125, 150, 200, 300];
/** A phone shows a desktop pixel as two by two of its own: at one by one nobody can read or touch it. */
const PHONE_ZOOM = 200;

/** @typedef {{width: number, height: number}} Size */

/** The size that a desktop should have. @param {Size} box device pixels @param {number} zoom percent @param {number} ratio @returns {{width: number, height: number, scale: number}} */
export function wishOf(box, zoom, ratio) {
	const side = (/** @type {number} */ n) => Math.max(2, Math.round(n * 100 / zoom) & ~1);
	return { width: side(box.width), height: side(box.height), scale: Math.min(500, Math.max(100, Math.round(ratio * 10000 / zoom))) };
}

/**
 * A picture of the wished size begins at the corner, another one stands in the middle; nothing is larger than the zoom says or the box allows.
 * @param {Size} surface @param {Size} box device pixels @param {number} zoom percent
 */
export function placeOf(surface, box, zoom) {
	const fit = Math.min(box.width / surface.width, box.height / surface.height);
	const scale = Math.min(zoom / 100, fit);
	const width = Math.round(surface.width * scale);
	const height = Math.round(surface.height * scale);
	const slack = 2 * zoom / 100;
	const start = (/** @type {number} */ room) => room <= slack ? 0 : Math.floor(room / 2);
	return { left: start(box.width - width), top: start(box.height - height), width, height, isExact: Number.isInteger(scale) };
}

/** @returns {number} percent */
function storedZoom() {
	const stored = Number(localStorage.getItem(STORED));
	if (ZOOMS.includes(stored))
		return stored;
	return window.devicePixelRatio >= 2 && window.matchMedia('(pointer: coarse)').matches ? PHONE_ZOOM : 100;
}

export class Screen {
	/** @param {HTMLElement} stage what there is of the window @param {HTMLCanvasElement} canvas @param {number} fixedRatio for tests; else 0 @param {() => void} onChange another size is wished */
	constructor(stage, canvas, fixedRatio, onChange) {
		this.canvas = canvas;
		this.stage = stage;
		this.fixedRatio = fixedRatio;
		this.onChange = onChange;
		this.zoom = fixedRatio ? 100 : storedZoom();
		/** @type {Size} */
		this.surface = { width: 0, height: 0 };
		this.box = this.#window();
		const observer = new ResizeObserver(([entry]) => this.#measured(entry));
		try {
			observer.observe(stage, { box: 'device-pixel-content-box' });
		} catch {
			// Safari knows the size in CSS pixels only.
			observer.observe(stage);
		}
	}

	get ratio() {
		return this.fixedRatio || window.devicePixelRatio || 1;
	}

	/** @returns {Size} */
	#window() {
		return { width: Math.round(this.stage.clientWidth * this.ratio), height: Math.round(this.stage.clientHeight * this.ratio) };
	}

	/** @param {ResizeObserverEntry} entry */
	#measured(entry) {
		const rough = this.#window();
		const exact = entry.devicePixelContentBoxSize?.[0];
		// A browser that plays another screen, as its developer tools do, still tells of the real one.
		const isMeant = exact && !this.fixedRatio && Math.abs(exact.inlineSize - rough.width) <= this.ratio && Math.abs(exact.blockSize - rough.height) <= this.ratio;
		this.box = isMeant ? { width: exact.inlineSize, height: exact.blockSize } : rough;
		this.layout();
		this.onChange();
	}

	wish() {
		return wishOf(this.box, this.zoom, this.ratio);
	}

	/** @param {number} zoom percent */
	setZoom(zoom) {
		localStorage.setItem(STORED, String(zoom));
		this.zoom = zoom;
		this.layout();
		this.onChange();
	}

	/** @param {Size} surface */
	show(surface) {
		this.surface = { width: surface.width, height: surface.height };
		this.layout();
	}

	layout() {
		if (!this.surface.width)
			return;
		const place = placeOf(this.surface, this.box, this.zoom);
		const { style } = this.canvas;
		for (const name of /** @type {const} */ (['left', 'top', 'width', 'height']))
			style[name] = `${place[name] / this.ratio}px`;
		style.imageRendering = place.isExact ? 'pixelated' : 'auto';
	}
}
