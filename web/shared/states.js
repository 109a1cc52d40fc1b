// SPDX-License-Identifier: GPL-3.0-or-later
/** The words and tones of states: one chip everywhere. */

import { h } from './dom.js';
import { addSentences, t } from './i18n.js';

/** @typedef {'good' | 'busy' | 'warn' | 'bad' | 'plain'} Tone */

/** state: [tone, English, Spanish] @type {Record<string, [Tone, string, string]>} */
const STATES = {
	active: ['good', 'Active', 'Activa'],
	assigned: ['good', 'Assigned', 'Asignado'],
	away: ['bad', 'Away', 'No responde'],
	backup: ['warn', 'Back-up failed', 'Copia fallida'],
	blocked: ['warn', 'Blocked', 'Bloqueado'],
	building: ['busy', 'Building', 'En construcción'],
	busy: ['warn', 'Full', 'Completo'],
	connected: ['good', 'Connected', 'Conectado'],
	creating: ['busy', 'Being created', 'En creación'],
	deleted: ['plain', 'Deleted', 'Eliminado'],
	'task.done': ['good', 'Done', 'Hecho'],
	'task.failed': ['bad', 'Failed', 'Con fallo'],
	deleting: ['busy', 'Being deleted', 'Eliminándose'],
	'datastore.full': ['bad', 'Full', 'Lleno'],
	'datastore.offline': ['bad', 'Offline', 'Sin conexión'],
	'datastore.unknown': ['plain', 'Unknown', 'Sin datos'],
	'datastore.filling': ['warn', 'Filling up', 'Se está llenando'],
	'datastore.warning': ['warn', 'Nearly full', 'Casi lleno'],
	'backup.building': ['busy', 'At work', 'En curso'],
	'backup.ready': ['good', 'Ready', 'Lista'],
	'desktop.busy': ['busy', 'Busy', 'Ocupado'],
	disabled: ['plain', 'Switched off', 'Desactivado'],
	disconnected: ['warn', 'Disconnected', 'Desconectado'],
	draft: ['plain', 'Draft', 'Borrador'],
	draining: ['warn', 'Draining', 'Vaciándose'],
	empty: ['plain', 'Empty', 'Vacío'],
	enabled: ['good', 'Switched on', 'Activado'],
	ended: ['plain', 'Ended', 'Terminada'],
	failed: ['bad', 'Failed', 'Con fallo'],
	'personal.attached': ['good', 'In use', 'En uso'],
	'personal.free': ['plain', 'At rest', 'En reposo'],
	'personal.removing': ['busy', 'Being removed', 'Eliminándose'],
	'personal.unclean': ['warn', 'Not unmounted', 'Sin desmontar'],
	'host.empty': ['warn', 'Out of service', 'Fuera de servicio'],
	granted: ['busy', 'Connecting', 'Conectando'],
	logging_off: ['busy', 'Logging off', 'Cerrando sesión'],
	maintenance: ['warn', 'Maintenance', 'Mantenimiento'],
	ok: ['good', 'All is well', 'Todo en orden'],
	paused: ['bad', 'Paused', 'En pausa'],
	published: ['good', 'Published', 'Publicada'],
	ready: ['good', 'Ready', 'Listo'],
	refreshing: ['busy', 'Being made new', 'Renovándose'],
	restarting: ['busy', 'Restarting', 'Reiniciándose'],
	retired: ['plain', 'Retired', 'Retirada'],
	'rollout.canary': ['busy', 'First desktops', 'Primeros escritorios'],
	'rollout.done': ['good', 'Done', 'Terminada'],
	'rollout.failed': ['bad', 'Does not work', 'No funciona'],
	'rollout.paused': ['warn', 'Paused', 'En pausa'],
	'rollout.reverted': ['warn', 'Taken back', 'Vuelta atrás'],
	'rollout.rolling': ['busy', 'Rolling out', 'Implantándose'],
	'rollout.verify': ['busy', 'Being tried', 'En prueba'],
	starting: ['busy', 'Starting', 'Arrancando'],
	unknown: ['plain', 'Not known', 'Desconocido'],
	unreachable: ['bad', 'Unreachable', 'Sin respuesta'],
	suspended: ['plain', 'Suspended', 'Suspendido'],
	stopped: ['plain', 'Stopped', 'Detenido'],
	waiting: ['warn', 'Waiting', 'En espera'],
	warning: ['warn', 'Needs a look', 'Conviene revisar'],
};

addSentences(Object.fromEntries(Object.entries(STATES).map(([state, [, en, es]]) => [`state.${state}`, [en, es]])));

/** A word may mean something of its own for one kind: a pool that is busy is full, a desktop has a task. @param {string} state @param {string} kind */
const keyOf = (state, kind) => STATES[`${kind}.${state}`] ? `${kind}.${state}` : state;

/** @param {string} state @param {string} [kind] */
export function stateWord(state, kind = '') {
	const key = keyOf(state, kind);
	return STATES[key] ? t(`state.${key}`) : state;
}

/** @param {string} state @param {string} [kind] @returns {Tone} */
export function toneOf(state, kind = '') {
	return STATES[keyOf(state, kind)]?.[0] ?? 'plain';
}

/** @param {string} state @param {string} [kind] */
export function chip(state, kind = '') {
	return h('span', { class: `chip is-${toneOf(state, kind)}` }, h('span', { class: 'chip-dot', 'aria-hidden': 'true' }), stateWord(state, kind));
}
