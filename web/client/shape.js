// SPDX-License-Identifier: GPL-3.0-or-later
/** The desktop's pointer shape as a CSS cursor. */

const SIDE_MAX = 128; // browsers ignore larger cursors

/**
 * @param {{width: number, height: number, hotX: number, hotY: number, pixels: Uint8ClampedArray<ArrayBuffer>}} cursor
 * @param {number} ratio device pixels in a CSS pixel
 * @returns {string} a value for style.cursor
 */
export function cursorOf(cursor, ratio) {
	if (!cursor.width || !cursor.height)
		return 'none';
	const full = document.createElement('canvas');
	full.width = cursor.width;
	full.height = cursor.height;
	full.getContext('2d')?.putImageData(new ImageData(cursor.pixels, cursor.width, cursor.height), 0, 0);
	const scale = Math.min(1 / ratio, SIDE_MAX / Math.max(cursor.width, cursor.height));
	if (scale >= 1)
		return `url(${full.toDataURL()}) ${cursor.hotX} ${cursor.hotY}, default`;
	const small = document.createElement('canvas');
	small.width = Math.max(1, Math.round(cursor.width * scale));
	small.height = Math.max(1, Math.round(cursor.height * scale));
	small.getContext('2d')?.drawImage(full, 0, 0, small.width, small.height);
	return `url(${small.toDataURL()}) ${Math.floor(cursor.hotX * scale)} ${Math.floor(cursor.hotY * scale)}, default`;
}
