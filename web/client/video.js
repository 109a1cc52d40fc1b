// SPDX-License-Identifier: GPL-3.0-or-later
/** H.264 regions by WebCodecs: one decoder each, every access unit gives its picture at once. */

// High and High 4:4:4 Predictive, level 4.2; the real values stand in the stream's own parameter sets.
const CODEC = 'avc1.64002A';
const CODEC_FULL_COLOUR = 'avc1.F4002A';
const WAIT_MS = 3000;

/** @param {number} width @param {number} height @param {boolean} isFullColour @returns {VideoDecoderConfig} */
function config(width, height, isFullColour) {
	return { codec: isFullColour ? CODEC_FULL_COLOUR : CODEC, codedWidth: width, codedHeight: height, optimizeForLatency: true, hardwareAcceleration: 'no-preference' };
}

/** Whether this browser decodes what the server sends, in 4:2:0 or in 4:4:4. */
export async function canDecodeVideo(isFullColour = false) {
	if (typeof VideoDecoder === 'undefined' || typeof EncodedVideoChunk === 'undefined')
		return false;
	try {
		const support = await VideoDecoder.isConfigSupported(config(1280, 720, isFullColour));
		return support.supported === true;
	} catch {
		return false;
	}
}

class Region {
	/** @param {number} width @param {number} height @param {boolean} isFullColour */
	constructor(width, height, isFullColour) {
		/** @type {Map<number, {resolve: (frame: VideoFrame) => void, reject: (reason: Error) => void}>} */
		this.waiting = new Map();
		this.next = 0;
		this.isBroken = false;
		this.width = width;
		this.height = height;
		this.isFullColour = isFullColour;
		this.decoder = new VideoDecoder({
			output: (frame) => this.#take(frame),
			error: (reason) => this.#break(reason),
		});
		this.decoder.configure(config(width, height, isFullColour));
	}

	/** @param {VideoFrame} frame */
	#take(frame) {
		const wait = this.waiting.get(frame.timestamp);
		this.waiting.delete(frame.timestamp);
		if (wait)
			wait.resolve(frame);
		else
			frame.close();
	}

	/** @param {Error} reason */
	#break(reason) {
		this.isBroken = true;
		for (const wait of this.waiting.values())
			wait.reject(reason);
		this.waiting.clear();
	}

	/** @param {Uint8Array<ArrayBuffer>} data @param {boolean} isKey @returns {Promise<VideoFrame>} */
	decode(data, isKey) {
		const timestamp = this.next++;
		return new Promise((resolve, reject) => {
			this.waiting.set(timestamp, { resolve, reject });
			setTimeout(() => {
				if (this.waiting.has(timestamp))
					this.#break(new Error('the video decoder gives no picture'));
			}, WAIT_MS);
			try {
				this.decoder.decode(new EncodedVideoChunk({ type: isKey ? 'key' : 'delta', timestamp, data }));
			} catch (reason) {
				this.#break(/** @type {Error} */ (reason));
			}
		});
	}

	close() {
		this.#break(new Error('closed'));
		if (this.decoder.state !== 'closed')
			this.decoder.close();
	}
}

/** @param {VideoFrame} frame @returns {Promise<ImageData | VideoFrame>} pixels where copyTo can convert, else the frame to draw */
async function toPixels(frame) {
	const { x, y, width, height } = /** @type {DOMRectReadOnly} */ (frame.visibleRect);
	const pixels = new Uint8ClampedArray(width * height * 4);
	try {
		await frame.copyTo(pixels, /** @type {VideoFrameCopyToOptions} */ ({ format: 'RGBX', rect: { x, y, width, height } }));
		frame.close();
		for (let i = 3; i < pixels.length; i += 4)
			pixels[i] = 255;
		return new ImageData(pixels, width, height);
	} catch {
		return frame;
	}
}

export class VideoRegions {
	constructor() {
		/** @type {Map<number, Region>} */
		this.regions = new Map();
	}

	/** @param {import('./protocol.js').Operation} op @returns {Promise<ImageData | VideoFrame>} */
	async decode(op) {
		const id = op.region ?? 0;
		let region = this.regions.get(id);
		const isFullColour = op.isFullColour === true;
		const isOther = region?.width !== op.codedWidth || region?.height !== op.codedHeight || region?.isFullColour !== isFullColour;
		if (op.isKey && (!region || region.isBroken || isOther)) {
			region?.close();
			region = new Region(op.codedWidth ?? op.w, op.codedHeight ?? op.h, isFullColour);
			this.regions.set(id, region);
		}
		if (!region || region.isBroken)
			throw new Error('a video unit came without a key unit');
		return toPixels(await region.decode(/** @type {Uint8Array<ArrayBuffer>} */ (op.data), op.isKey === true));
	}

	close() {
		for (const region of this.regions.values())
			region.close();
		this.regions.clear();
	}
}
