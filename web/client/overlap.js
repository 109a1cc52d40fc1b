// SPDX-License-Identifier: GPL-3.0-or-later
/** Whether operations may be carried out before others that came first: a letter's need not wait for the decoder of a video beside it. */

/** @typedef {import('./protocol.js').Operation} Operation */
/** @typedef {{x: number, y: number, w: number, h: number}} Box */

/** @param {Box} a @param {Box} b */
const meet = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** What an operation reads of the picture, for those that do. @param {Operation} op @returns {Box | null} */
const sourceOf = (op) => op.sx === undefined ? null : { x: op.sx, y: op.sy ?? 0, w: op.w, h: op.h };

/** Neither paints where the other one paints or reads. @param {Operation} a @param {Operation} b */
function arePairApart(a, b) {
	const [readsA, readsB] = [sourceOf(a), sourceOf(b)];
	return !meet(a, b) && !(readsA && meet(readsA, b)) && !(readsB && meet(readsB, a));
}

/** @param {Operation[]} ops @param {Operation[]} others */
export function areApart(ops, others) {
	return ops.every((op) => others.every((other) => arePairApart(op, other)));
}
