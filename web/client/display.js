// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * One display connection: WebSocket, decoding, painting, acknowledgements. Runs in the worker (worker.js), or on the page where a worker
 * or an OffscreenCanvas is missing. It takes commands and posts events; both are plain objects with a `type`.
 */

import * as P from './protocol.js';
import { areApart } from './overlap.js';
import { Picture } from './picture.js';
import { canDecodeVideo } from './video.js';

const PING_EVERY_MS = 30000;
const PING_FAST_MS = 1000;
/** Frames of more operations are painted in their turn. */
const EARLY_OPS = 8;
const CLIENT_NAME = 'Puesto web client';

/**
 * @typedef {{url: string, ticket: string, width: number, height: number, scale: number, isSpanish: boolean, forceNoVideo?: boolean, forceHalfColour?: boolean}} Connect
 * @typedef {{type: string, [key: string]: any}} Message
 */

export class Display {
	/**
	 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
	 * @param {(event: Message, transfer?: Transferable[]) => void} post
	 */
	constructor(canvas, post) {
		this.post = post;
		this.picture = new Picture(canvas, (op) => this.#send(P.writeRefresh(op.x, op.y, op.w, op.h)));
		/** @type {WebSocket | null} */
		this.socket = null;
		this.surface = { width: 0, height: 0 };
		this.assembler = new P.Assembler();
		/** Frames are painted in their order, each when all of it is decoded; a small one beside those that wait may go ahead of them. */
		this.painted = Promise.resolve();
		/** What waits for its turn: a frame's operations, null for a new size. @type {(P.Operation[] | null)[]} */
		this.waiting = [];
		this.connection = 0;
		this.isEnded = false;
		this.hasPainted = false;
		this.hasGreeted = false;
		this.isWatched = false;
		/** Asked at once: the answers take a browser as long as a round trip. */
		this.abilities = Promise.all([canDecodeVideo(), canDecodeVideo(true)]);
		this.timer = 0;
		this.stats = { frames: 0, sequence: 0, bytes: 0, decodeMs: 0, paintMs: 0, rttMs: 0, exact: false, video: false, server: /** @type {any} */ (null) };
	}

	/** @param {Message} command */
	handle(command) {
		switch (command.type) {
		case 'connect':
			this.#connect(/** @type {any} */ (command));
			break;
		case 'close':
			this.#close();
			break;
		case 'key':
			this.#send(P.writeKey(command.isDown, command.keysym, command.keycode));
			break;
		case 'pointer':
			this.#send(P.writePointer(command.x, command.y, command.buttons));
			break;
		case 'wheel':
			this.#send(P.writeWheel(command.dx, command.dy));
			break;
		case 'text':
			P.writeTexts(command.text).forEach((m) => this.#send(m));
			break;
		case 'resize':
			this.#send(P.writeResize(command.width, command.height, command.scale));
			break;
		case 'clipboard':
			P.writeClipboard(command.text).forEach((m) => this.#send(m));
			break;
		case 'release':
			this.#send(P.writeReleaseAll());
			break;
		case 'watch':
			this.isWatched = command.on;
			this.#ping();
			break;
		case 'stats':
			this.post({ type: 'stats', id: command.id, stats: { ...this.stats } });
			break;
		case 'pixels':
			this.#postPixels(command.id);
			break;
		}
	}

	/** Nothing goes before HELLO. @param {Uint8Array<ArrayBuffer>} bytes */
	#send(bytes) {
		if (this.hasGreeted && this.socket?.readyState === 1)
			this.socket.send(bytes);
	}

	/** What the server may send. @param {Connect} options */
	async #can(options) {
		const [canVideo, canFullColour] = await this.abilities;
		const hasVideo = canVideo && !options.forceNoVideo;
		this.stats.video = hasVideo;
		return P.CAN.JPEG | P.CAN.WATCHED | (hasVideo ? P.CAN.H264 : 0) | (hasVideo && canFullColour && !options.forceHalfColour ? P.CAN.FULL_COLOUR : 0);
	}

	/** @param {Connect} options */
	#connect(options) {
		this.#close();
		this.connection++;
		this.assembler = new P.Assembler();
		this.picture.restart();
		this.painted = Promise.resolve();
		this.waiting = [];
		this.isEnded = false;
		this.hasPainted = false;
		this.hasGreeted = false;
		this.stats.sequence = 0;
		const socket = new WebSocket(options.url, ['puesto.v1', `ticket.${options.ticket}`]);
		socket.binaryType = 'arraybuffer';
		this.socket = socket;
		socket.onopen = async () => {
			const can = await this.#can(options);
			if (socket !== this.socket)
				return;
			this.hasGreeted = true;
			this.#send(P.writeHello({ width: options.width, height: options.height, scale: options.scale, can,
				isSpanish: options.isSpanish, client: CLIENT_NAME }));
			this.#ping();
		};
		socket.onmessage = (event) => {
			if (socket === this.socket)
				this.#receive(new Uint8Array(/** @type {ArrayBuffer} */ (event.data)));
		};
		socket.onclose = (event) => {
			if (socket !== this.socket)
				return;
			this.#close();
			this.post({ type: 'closed', code: event.code, reason: event.reason, isEnded: this.isEnded });
		};
	}

	#close() {
		const socket = this.socket;
		this.socket = null;
		clearTimeout(this.timer);
		if (socket && socket.readyState < 2)
			socket.close(1000);
	}

	#ping() {
		clearTimeout(this.timer);
		if (!this.socket)
			return;
		this.#send(P.writePing(performance.now() * 1000));
		this.timer = /** @type {any} */ (setTimeout(() => this.#ping(), this.isWatched ? PING_FAST_MS : PING_EVERY_MS));
	}

	/** @param {Uint8Array} data */
	#receive(data) {
		this.stats.bytes += data.length;
		try {
			const message = this.assembler.push(data);
			if (message)
				this.#dispatch(message.type, message.body);
		} catch (reason) {
			this.#breakOff(/** @type {Error} */ (reason));
		}
	}

	/** The server's bytes make no sense: leave, the page connects anew. @param {Error} reason */
	#breakOff(reason) {
		const socket = this.socket;
		this.socket = null;
		clearTimeout(this.timer);
		socket?.close(4002, 'protocol error');
		this.post({ type: 'closed', code: 4002, reason: reason.message, isEnded: false });
	}

	/** @param {number} type @param {Uint8Array} body */
	#dispatch(type, body) {
		switch (type) {
		case P.S.HELLO:
			this.post({ type: 'hello', ...P.readHello(body) });
			break;
		case P.S.SURFACE:
			this.#setSurface(P.readSurface(body));
			break;
		case P.S.FRAME:
			this.#frame(body);
			break;
		case P.S.CURSOR: {
			const cursor = P.readCursor(body);
			this.post({ type: 'cursor', ...cursor }, [cursor.pixels.buffer]);
			break;
		}
		case P.S.POINTER:
			this.post({ type: 'pointer', ...P.readPoint(body) });
			break;
		case P.S.CLIPBOARD:
			this.post({ type: 'clipboard', text: P.readText(body) });
			break;
		case P.S.STATUS:
			this.post({ type: 'status', ...P.readStatus(body) });
			break;
		case P.S.BELL:
			this.post({ type: 'bell' });
			break;
		case P.S.PONG:
			this.stats.rttMs = performance.now() - P.readPong(body) / 1000;
			break;
		case P.S.STATS:
			this.stats.server = P.readStats(body);
			break;
		case P.S.WATCHED:
			this.post({ type: 'watched', names: P.readWatched(body) });
			break;
		case P.S.END:
			this.isEnded = true;
			this.post({ type: 'end', ...P.readEnd(body) });
			break;
		default:
			throw new P.ProtocolError(`the server sent a message of unknown type ${type}`);
		}
	}

	/** @param {{width: number, height: number, scale: number}} surface */
	#setSurface(surface) {
		const waiting = this.waiting;
		this.surface = surface;
		waiting.push(null);
		this.painted = this.painted.then(() => {
			waiting.shift();
			this.picture.resize(surface);
			this.post({ type: 'surface', ...surface });
		});
	}

	/** Decoded at once, and beside all that waits. @param {P.Operation[]} ops @param {(Promise<() => void> | (() => void))[]} ready */
	#mayGoAhead(ops, ready) {
		return ops.length <= EARLY_OPS && this.waiting.length > 0 && ready.every((paint) => typeof paint === 'function') &&
			this.waiting.every((others) => others !== null && areApart(ops, others));
	}

	/** @param {Uint8Array} body */
	#frame(body) {
		const start = performance.now();
		const connection = this.connection;
		const frame = P.readFrame(body, this.surface);
		if (frame.isAnew)
			this.picture.beginAnew();
		const waiting = this.waiting;
		let ready = frame.ops.map((op) => this.picture.prepare(op));
		const goesAhead = this.#mayGoAhead(frame.ops, ready);
		if (goesAhead) {
			ready.forEach((paint) => /** @type {() => void} */ (paint)());
			ready = [];
		}
		waiting.push(goesAhead ? [] : frame.ops);
		this.painted = this.painted.then(async () => {
			const paints = await Promise.all(ready);
			waiting.shift();
			if (connection !== this.connection)
				return;
			const decoded = performance.now();
			for (const paint of paints)
				paint();
			const now = performance.now();
			if (!frame.isQuiet)
				this.#send(P.writeAck(frame.sequence, (now - start) * 1000));
			this.#count(frame, decoded - start, now - decoded);
		}).catch((reason) => {
			if (connection === this.connection)
				this.#breakOff(reason);
		});
	}

	/** @param {{sequence: number, isExact: boolean, more: boolean}} frame @param {number} decodeMs @param {number} paintMs */
	#count(frame, decodeMs, paintMs) {
		const s = this.stats;
		s.frames++;
		s.sequence = frame.sequence;
		if (!this.hasPainted)
			this.post({ type: 'first' });
		this.hasPainted = true;
		s.exact = frame.isExact && !frame.more;
		s.decodeMs += (decodeMs - s.decodeMs) / 8;
		s.paintMs += (paintMs - s.paintMs) / 8;
	}

	/** @param {number} id */
	async #postPixels(id) {
		await this.painted;
		const image = this.picture.pixels();
		this.post({ type: 'pixels', id, width: image.width, height: image.height, data: image.data, sequence: this.stats.sequence, isExact: this.stats.exact },
			[image.data.buffer]);
	}
}
