// SPDX-License-Identifier: GPL-3.0-or-later
/** Line icons of ours, 20 by 20. They only decorate: words stand beside them or in the button's label. */

const SVG = 'http://www.w3.org/2000/svg';

const PATHS = {
	add: 'M10 4v12M4 10h12',
	alert: 'M10 3l8 14H2zM10 8v4M10 14.5v.1',
	away: 'M3 8a10 10 0 0 1 14 0M6 11a6 6 0 0 1 8 0M10 15v.1M3 3l14 14',
	back: 'M12 4l-6 6 6 6',
	camera: 'M2 6h4l1.5-2h5L14 6h4v10H2zM10 8.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z',
	check: 'M4 10.5l4 4 8-9',
	close: 'M5 5l10 10M15 5L5 15',
	copy: 'M7 7h9v10H7zM13 7V3H4v10h3',
	dashboard: 'M3 11a7 7 0 0 1 14 0M10 11l3-4M3 11v4h14v-4',
	datastores: 'M3 5c0-3 14-3 14 0s-14 3-14 0v10c0 3 14 3 14 0V5M3 10c0 3 14 3 14 0',
	desktops: 'M2 4h16v10H2zM7 17h6M10 14v3',
	download: 'M10 3v9M6 8.5l4 4 4-4M4 16h12',
	edit: 'M4 16l1-4 8-8 3 3-8 8zM11.5 5.5l3 3',
	entitlements: 'M7 12a4 4 0 1 1 3.5-2L17 10v3h-2v2h-3v-3l-1.5-2M6 8v.1',
	events: 'M6 5h11M6 10h11M6 15h11M3 5v.1M3 10v.1M3 15v.1',
	eye: 'M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5zM10 8a2 2 0 1 1 0 4 2 2 0 0 1 0-4z',
	groups: 'M7 9a3 3 0 1 1 .1 0M2 16c0-3 2-5 5-5s5 2 5 5M13 4a3 3 0 0 1 0 5.5M14 11.5c2.5.5 4 2 4 4.5',
	images: 'M10 3l7 3.5-7 3.5-7-3.5zM3 10l7 3.5 7-3.5M3 13.5L10 17l7-3.5',
	key: 'M7 12a4 4 0 1 1 3.5-2H17v3h-2M6 8v.1',
	keyboard: 'M2 5h16v10H2zM5 8h1M9.5 8h1M14 8h1M6 12h8',
	keycap: 'M3 3h14v14H3zM7 13l3-7 3 7M8.2 10.5h3.6',
	language: 'M10 2a8 8 0 1 0 .1 0M2 10h16M10 2c-3 3-3 13 0 16M10 2c3 3 3 13 0 16',
	logoff: 'M10 3v7M6 5a7 7 0 1 0 8 0',
	logout: 'M12 5l5 5-5 5M17 10H7M8 3H3v14h5',
	menu: 'M3 5h14M3 10h14M3 15h14',
	message: 'M3 4h14v10H9l-4 3v-3H3z',
	more: 'M4 9.2v1.6M10 9.2v1.6M16 9.2v1.6M3.2 10h1.6M9.2 10h1.6M15.2 10h1.6',
	moon: 'M16 12A7 7 0 1 1 8.5 3.5 5.5 5.5 0 0 0 16 12z',
	move: 'M3 7h13l-3-3M17 13H4l3 3',
	open: 'M8 4H4v12h12v-4M11 4h5v5M16 4l-7 7',
	pause: 'M7 4v12M13 4v12',
	play: 'M6 4l10 6-10 6z',
	plug: 'M7 3v4M13 3v4M5 7h10v3a5 5 0 0 1-10 0zM10 15v3',
	pools: 'M3 3h9v6H3zM6 12h11v5H6zM14.5 5H17v4M3.5 12v3',
	providers: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5v.1M6 13.5v.1',
	refresh: 'M16 6a7 7 0 1 0 1 5M16 2v4h-4',
	resize: 'M4 9V4h5M16 11v5h-5M4 4l5 5M16 16l-5-5',
	search: 'M8.5 3a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM13 13l4 4',
	sessions: 'M2 4h16v10H2zM8 7l4 2.5-4 2zM7 17h6',
	shield: 'M10 2l7 3v5c0 4-3 7-7 8-4-1-7-4-7-8V5z',
	stop: 'M5 5h10v10H5z',
	theme: 'M10 3a7 7 0 1 0 .1 0M10 3v14',
	trash: 'M4 6h12M8 6V3h4v3M6 6l1 11h6l1-11',
	undo: 'M7 4L3 8l4 4M3 8h9a4 4 0 0 1 0 8H9',
	users: 'M10 10a3.5 3.5 0 1 1 .1 0M3 17c0-3.5 3-5.5 7-5.5s7 2 7 5.5',
	window: 'M2 4h16v12H2zM2 8h16',
};

/** @typedef {keyof typeof PATHS} IconName */

/** @param {IconName} name @returns {SVGSVGElement} */
export function icon(name) {
	const svg = document.createElementNS(SVG, 'svg');
	svg.setAttribute('viewBox', '0 0 20 20');
	svg.setAttribute('class', 'icon');
	svg.setAttribute('aria-hidden', 'true');
	const path = document.createElementNS(SVG, 'path');
	path.setAttribute('d', PATHS[name]);
	svg.append(path);
	return svg;
}
