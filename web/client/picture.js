// SPDX-License-Identifier: GPL-3.0-or-later
/** The picture: carries out a frame's operations on a canvas. Every byte is decoded first, then all is painted in one go. */

import { FlatDecoder } from './flat.js';
import { OP } from './protocol.js';
import { VideoRegions } from './video.js';

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {() => void} Paint
 */

export class Picture {
	/**
	 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
	 * @param {(op: import('./protocol.js').Operation) => void} onLost a video region that could not be decoded
	 */
	constructor(canvas, onLost) {
		this.canvas = canvas;
		const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
		if (!context)
			throw new Error('this browser has no 2D canvas');
		this.context = /** @type {OffscreenCanvasRenderingContext2D} */ (context);
		this.onLost = onLost;
		this.flat = new FlatDecoder();
		this.video = new VideoRegions();
	}

	/** A new connection: streams start anew, the last picture stays. */
	restart() {
		this.flat = new FlatDecoder();
		this.video.close();
	}

	/** The server's streams begin anew in the middle of a connection. A video goes on with a key unit, so what is being decoded is still painted. */
	beginAnew() {
		this.flat = new FlatDecoder();
	}

	/** @param {Size} size */
	resize(size) {
		if (this.canvas.width === size.width && this.canvas.height === size.height)
			return;
		this.canvas.width = size.width;
		this.canvas.height = size.height;
		this.context.imageSmoothingEnabled = false;
	}

	/**
	 * Starts to decode an operation; must be called in the order of the wire.
	 * @param {import('./protocol.js').Operation} op
	 * @returns {Promise<Paint> | Paint}
	 */
	prepare(op) {
		const { context, canvas } = this;
		const { x, y, w, h } = op;
		const data = /** @type {Uint8Array<ArrayBuffer>} */ (op.data);
		switch (op.kind) {
		case OP.COPY:
			return () => context.drawImage(canvas, op.sx ?? 0, op.sy ?? 0, w, h, x, y, w, h);
		case OP.FILL: {
			const [r, g, b] = op.colour ?? [0, 0, 0];
			return () => {
				context.fillStyle = `rgb(${r},${g},${b})`;
				context.fillRect(x, y, w, h);
			};
		}
		case OP.FLAT: {
			const image = new ImageData(this.flat.decode(data, w, h), w, h);
			return () => context.putImageData(image, x, y);
		}
		case OP.VIDEO:
			return this.#prepareVideo(op);
		default:
			return this.#prepareImage(data, op.kind === OP.JPEG ? 'image/jpeg' : 'image/webp', op);
		}
	}

	/** @param {Uint8Array<ArrayBuffer>} data @param {string} type @param {import('./protocol.js').Operation} op @returns {Promise<Paint>} */
	async #prepareImage(data, type, op) {
		const bitmap = await createImageBitmap(new Blob([data], { type }), { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
		return () => {
			this.context.drawImage(bitmap, 0, 0, op.w, op.h, op.x, op.y, op.w, op.h);
			bitmap.close();
		};
	}

	/** @param {import('./protocol.js').Operation} op @returns {Promise<Paint>} */
	async #prepareVideo(op) {
		try {
			const picture = await this.video.decode(op);
			if (picture instanceof ImageData)
				return () => this.context.putImageData(picture, op.x, op.y, 0, 0, op.w, op.h);
			return () => {
				this.context.drawImage(picture, 0, 0, op.w, op.h, op.x, op.y, op.w, op.h);
				picture.close();
			};
		} catch {
			this.onLost(op);
			return () => {};
		}
	}

	/** The pixels that are shown. */
	pixels() {
		return this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
	}
}
