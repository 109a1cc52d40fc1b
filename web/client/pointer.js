// SPDX-License-Identifier: GPL-3.0-or-later
/** Mouse, wheel and touch: from places on the page to places on the desktop's screen. */

const MOVE_EVERY_MS = 8;
const LONG_PRESS_MS = 550;
const TOUCH_SLOP = 10; // CSS pixels that a resting finger may wander
const NOTCH_PIXELS = 100;
const NOTCH_LINES = 3;

/**
 * @typedef {object} PointerSink
 * @property {(x: number, y: number, buttons: number) => void} pointer
 * @property {(dx: number, dy: number) => void} wheel
 * @property {() => void} touched a finger is used: show where the pointer is
 */

/** PointerEvent.buttons (left, right, middle) → ours (left, middle, right). @param {number} buttons */
export function buttonsOf(buttons) {
	return buttons & 1 | (buttons & 4) >> 1 | (buttons & 2) << 1 | buttons & 24;
}

/**
 * One wheel event in 1/120 notch. A notch is as many pixels as the system's settings say; the older `wheelDelta` counts the notches themselves.
 * @param {{deltaX: number, deltaY: number, deltaMode: number, wheelDeltaX?: number, wheelDeltaY?: number}} e @returns {[number, number]}
 */
export function wheelOf(e) {
	const { wheelDeltaX: notchX = 0, wheelDeltaY: notchY = 0 } = e;
	if ((notchX || notchY) && notchX % 120 === 0 && notchY % 120 === 0)
		return [-notchX || 0, -notchY || 0];
	const unit = e.deltaMode === 0 ? 120 / NOTCH_PIXELS : e.deltaMode === 1 ? 120 / NOTCH_LINES : 120 * 3;
	return [e.deltaX * unit, e.deltaY * unit];
}

export class Pointer {
	/** @param {HTMLElement} area the canvas @param {() => {width: number, height: number}} size of the desktop's screen @param {PointerSink} sink */
	constructor(area, size, sink) {
		this.area = area;
		this.size = size;
		this.sink = sink;
		this.last = { x: 0, y: 0, buttons: 0, at: 0 };
		this.timer = 0;
		this.rest = [0, 0];
		/** @type {Map<number, {x: number, y: number, startX: number, startY: number}>} */
		this.fingers = new Map();
		/** What the fingers do: nothing yet, dragging with a button down, scrolling, or done. @type {'idle' | 'wait' | 'drag' | 'scroll' | 'done'} */
		this.gesture = 'idle';
		this.press = 0;
		for (const type of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel'])
			area.addEventListener(type, (e) => this.#onPointer(/** @type {PointerEvent} */ (e)));
		area.addEventListener('wheel', (e) => this.#onWheel(/** @type {WheelEvent} */ (e)), { passive: false });
		area.addEventListener('contextmenu', (e) => e.preventDefault());
		area.addEventListener('dragstart', (e) => e.preventDefault());
	}

	/** @param {{clientX: number, clientY: number}} e */
	#place(e) {
		const box = this.area.getBoundingClientRect();
		const { width, height } = this.size();
		const x = Math.floor((e.clientX - box.left) * width / (box.width || 1));
		const y = Math.floor((e.clientY - box.top) * height / (box.height || 1));
		return { x: Math.min(Math.max(x, 0), Math.max(width - 1, 0)), y: Math.min(Math.max(y, 0), Math.max(height - 1, 0)) };
	}

	/** Moves are merged to one every few milliseconds; a button goes out at once. @param {number} x @param {number} y @param {number} buttons */
	#send(x, y, buttons) {
		const now = performance.now();
		const isMove = buttons === this.last.buttons;
		if (isMove && x === this.last.x && y === this.last.y)
			return;
		clearTimeout(this.timer);
		this.last = { x, y, buttons, at: this.last.at };
		const wait = MOVE_EVERY_MS - (now - this.last.at);
		if (isMove && wait > 0) {
			this.timer = /** @type {any} */ (setTimeout(() => this.#flush(), wait));
			return;
		}
		this.#flush();
	}

	#flush() {
		this.last.at = performance.now();
		this.sink.pointer(this.last.x, this.last.y, this.last.buttons);
	}

	/** @param {PointerEvent} e */
	#onPointer(e) {
		if (e.pointerType === 'touch') {
			this.#onTouch(e);
			return;
		}
		e.preventDefault();
		if (e.type === 'pointerdown' && !this.area.hasPointerCapture(e.pointerId)) {
			try {
				this.area.setPointerCapture(e.pointerId);
			} catch { /* a synthetic event has no pointer to capture */ }
		}
		const { x, y } = this.#place(e);
		this.#send(x, y, e.type === 'pointercancel' ? 0 : buttonsOf(e.buttons));
	}

	/** @param {WheelEvent} e */
	#onWheel(e) {
		e.preventDefault();
		const { x, y } = this.#place(e);
		if (x !== this.last.x || y !== this.last.y)
			this.#send(x, y, this.last.buttons);
		this.#scroll(wheelOf(e));
	}

	/** Whole units go out, fractions wait for the next. @param {[number, number]} delta */
	#scroll(delta) {
		const sum = delta.map((d, i) => d + this.rest[i]);
		const whole = sum.map((d) => Math.trunc(d));
		this.rest = sum.map((d, i) => d - whole[i]);
		if (whole[0] || whole[1])
			this.sink.wheel(whole[0], whole[1]);
	}

	/** @param {PointerEvent} e */
	#onTouch(e) {
		e.preventDefault();
		if (e.type === 'pointerdown')
			this.#fingerDown(e);
		else if (e.type === 'pointermove')
			this.#fingerMoved(e);
		else
			this.#fingerUp(e);
	}

	/** @param {PointerEvent} e */
	#fingerDown(e) {
		this.sink.touched();
		this.fingers.set(e.pointerId, { x: e.clientX, y: e.clientY, startX: e.clientX, startY: e.clientY });
		clearTimeout(this.press);
		if (this.fingers.size === 1) {
			this.gesture = 'wait';
			const { x, y } = this.#place(e);
			this.#send(x, y, 0);
			this.press = /** @type {any} */ (setTimeout(() => this.#longPress(x, y), LONG_PRESS_MS));
		} else if (this.fingers.size === 2 && this.gesture === 'wait') {
			this.gesture = 'scroll';
		}
	}

	/** @param {number} x @param {number} y */
	#longPress(x, y) {
		if (this.gesture !== 'wait')
			return;
		this.gesture = 'done';
		navigator.vibrate?.(15);
		this.#click(x, y, 4);
	}

	/** @param {number} x @param {number} y @param {number} button */
	#click(x, y, button) {
		this.#send(x, y, button);
		this.#send(x, y, 0);
	}

	/** @param {PointerEvent} e */
	#fingerMoved(e) {
		const finger = this.fingers.get(e.pointerId);
		if (!finger)
			return;
		const dx = e.clientX - finger.x;
		const dy = e.clientY - finger.y;
		const far = Math.hypot(e.clientX - finger.startX, e.clientY - finger.startY);
		if (this.gesture === 'wait' && far > TOUCH_SLOP) {
			clearTimeout(this.press);
			this.gesture = 'drag';
			const from = this.#place({ clientX: finger.startX, clientY: finger.startY });
			this.#send(from.x, from.y, 1);
		}
		if (this.gesture === 'drag') {
			const { x, y } = this.#place(e);
			this.#send(x, y, 1);
		} else if (this.gesture === 'scroll') {
			// The page follows the fingers; both report, so each counts half.
			this.#scroll([-dx * 120 / NOTCH_PIXELS / this.fingers.size, -dy * 120 / NOTCH_PIXELS / this.fingers.size]);
		}
		finger.x = e.clientX, finger.y = e.clientY;
	}

	/** @param {PointerEvent} e */
	#fingerUp(e) {
		const finger = this.fingers.get(e.pointerId);
		if (!finger)
			return;
		this.fingers.delete(e.pointerId);
		clearTimeout(this.press);
		const { x, y } = this.#place({ clientX: finger.startX, clientY: finger.startY });
		if (this.gesture === 'wait' && e.type === 'pointerup')
			this.#click(x, y, 1);
		else if (this.gesture === 'drag')
			this.#send(this.last.x, this.last.y, 0);
		else if (this.gesture === 'scroll' && Math.hypot(finger.x - finger.startX, finger.y - finger.startY) < TOUCH_SLOP && this.fingers.size === 1)
			this.#click(x, y, 4);
		this.gesture = this.fingers.size ? 'done' : 'idle';
	}
}
