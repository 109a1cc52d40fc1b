// SPDX-License-Identifier: GPL-3.0-or-later
/** "Use another program": exact instructions for RDP, VNC and noVNC. */

import { openDialog } from '../shared/dialog.js';
import { fill, h } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { icon } from '../shared/icons.js';
import { NOVNC, novncVersion } from '../shared/novnc.js';
import { toast } from '../shared/toast.js';

/** @typedef {{host: string, port: number, username: string}} Reach */

/** @param {string} text */
async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		toast(t('other.copied'), 'good');
	} catch {
		toast(t('other.notCopied'), 'bad');
	}
}

/** @param {string} text @param {string} what */
function copyButton(text, what) {
	return h('button', { type: 'button', class: 'quiet', 'aria-label': t('other.copyLabel', { what }), on: { click: () => void copy(text) } }, icon('copy'), t('other.copy'));
}

/** @param {Reach} reach */
function table(reach) {
	/** @type {[string, string][]} */
	const rows = [['other.host', reach.host], ['other.port', String(reach.port)], ['other.user', reach.username]];
	return h('dl', { class: 'reach' }, rows.flatMap(([key, text]) => [h('dt', {}, t(key)), h('dd', {}, text), h('dd', { class: 'copy' }, copyButton(text, t(key)))]));
}

/** A word for a POSIX shell. @param {string} text */
export function shellWord(text) {
	return /^[\w@%+=:,./[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} text @param {string} [lead] */
function command(text, lead = t('other.command')) {
	return [h('p', { class: 'hint' }, lead), h('div', { class: 'command' }, h('code', {}, text), copyButton(text, text))];
}

/** @param {string} text one line: a line break in a value would begin another setting */
const line = (text) => text.replace(/[\r\n]/g, ' ');

/** What Remote Desktop programs read. TLS without CredSSP, as the server speaks it. @param {Reach} reach */
export function rdpFile(reach) {
	const settings = [`full address:s:${line(reach.host)}:${reach.port}`, `username:s:${line(reach.username)}`, 'prompt for credentials:i:1', 'enablecredsspsupport:i:0',
		'negotiate security layer:i:1', 'authentication level:i:2', 'dynamic resolution:i:1', 'use multimon:i:0', 'session bpp:i:32', 'redirectclipboard:i:1',
		'redirectprinters:i:0', 'redirectsmartcards:i:0', 'drivestoredirect:s:', 'autoreconnection enabled:i:1', 'screen mode id:i:1'];
	return `${settings.join('\r\n')}\r\n`;
}

/** @param {string} name @param {Reach} reach */
function download(name, reach) {
	const url = URL.createObjectURL(new Blob([rdpFile(reach)], { type: 'application/x-rdp' }));
	const link = h('a', { href: url, download: `${name.replace(/[^\w.-]+/g, '-') || 'puesto'}.rdp` });
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** @param {any} pool */
function rdpPanel(pool) {
	const reach = pool.protocols.rdp;
	return [
		h('ol', { class: 'other-steps' }, h('li', {}, t('other.rdpSteps1')), h('li', {}, t('other.rdpSteps2')), reach.username.includes('#') && h('li', {}, t('other.hash'))),
		table(reach),
		h('p', {}, h('button', { type: 'button', class: 'primary', on: { click: () => download(pool.name, reach) } }, icon('download'), t('other.file'))),
		...command(`xfreerdp3 /v:${shellWord(`${reach.host}:${reach.port}`)} /u:${shellWord(reach.username)} /sec:tls /dynamic-resolution +clipboard`),
	];
}

/** @param {any} pool */
function vncPanel(pool) {
	const reach = pool.protocols.vnc;
	return [
		h('ol', { class: 'other-steps' }, h('li', {}, t('other.vncSteps1')), h('li', {}, t('other.vncSteps2')), reach.username.includes('#') && h('li', {}, t('other.hash'))),
		table(reach),
		...command(`xtigervncviewer -SecurityTypes X509Plain ${shellWord(`${reach.host}::${reach.port}`)}`),
	];
}

/** The way to noVNC's page, or why there is none. @param {any} pool @param {HTMLElement} place */
async function showNovnc(pool, place) {
	const version = await novncVersion();
	if (!version) {
		fill(place, h('p', {}, t('other.novncMissing')));
		return;
	}
	fill(place,
		h('p', {}, t('other.novncLead')),
		h('p', {}, h('a', { class: 'button primary', href: `/novnc/#pool=${encodeURIComponent(pool.id)}` }, icon('open'), t('other.novncOpen'))),
		h('p', { class: 'hint' }, t('other.novncVersion', { version }), ' ', h('a', { href: `${NOVNC}/LICENSE.txt` }, t('other.novncLicence'))));
}

/** @param {any} pool */
function novncPanel(pool) {
	const place = h('div', { role: 'status' });
	showNovnc(pool, place).catch(() => fill(place, t('api.offline')));
	return [place];
}

/** Tabs with arrow keys. @param {{id: string, label: string, panel: () => import('../shared/dom.js').Child[]}[]} tabs */
function tabs(tabs) {
	const panel = h('div', { role: 'tabpanel', id: 'other-panel', tabindex: 0 });
	const buttons = tabs.map((tab) => h('button', { type: 'button', role: 'tab', id: `tab-${tab.id}`, 'aria-controls': 'other-panel', on: { click: () => choose(tab.id) } }, tab.label));
	/** @param {string} id */
	const choose = (id) => {
		for (const [i, button] of buttons.entries()) {
			const isChosen = tabs[i].id === id;
			button.setAttribute('aria-selected', String(isChosen));
			button.tabIndex = isChosen ? 0 : -1;
			if (isChosen) {
				panel.setAttribute('aria-labelledby', button.id);
				fill(panel, ...tabs[i].panel());
			}
		}
	};
	const list = h('div', { class: 'tabs', role: 'tablist', on: { keydown: (/** @type {KeyboardEvent} */ e) => {
		const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
		const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
		if (!step || now < 0)
			return;
		const next = (now + step + buttons.length) % buttons.length;
		choose(tabs[next].id);
		buttons[next].focus();
	} } }, buttons);
	choose(tabs[0].id);
	return [list, panel];
}

/** @param {any} pool of GET /me/pools */
export function openOther(pool) {
	const name = pool.display_name || pool.name;
	const all = [];
	if (pool.protocols?.rdp)
		all.push({ id: 'rdp', label: t('other.rdp'), panel: () => rdpPanel(pool) });
	if (pool.protocols?.vnc)
		all.push({ id: 'vnc', label: t('other.vnc'), panel: () => vncPanel(pool) });
	all.push({ id: 'novnc', label: t('other.novnc'), panel: () => novncPanel(pool) });
	openDialog(t('other.title', { name }), [h('p', { class: 'dialog-text' }, t('other.lead')), ...tabs(all)], { isWide: true });
}
