// SPDX-License-Identifier: GPL-3.0-or-later
/** What the audit's kinds say, in words. */

import { addSentences, t } from '../shared/i18n.js';

/** @type {Record<string, [string, string]>} */
const KINDS = {
	'agent.enrolled': ['The desktop\'s agent enrolled', 'El agente del escritorio se ha registrado'],
	'backup.asked': ['Back-up asked for', 'Copia de seguridad pedida'],
	'backup.cancelled': ['Back-up cancelled', 'Copia de seguridad cancelada'],
	'backup.failed': ['Back-up failed', 'La copia de seguridad falló'],
	'backup.made': ['Back-up made', 'Copia de seguridad hecha'],
	'backup.remove_failed': ['Back-up could not be removed', 'No se pudo eliminar la copia de seguridad'],
	'backup.removal_asked': ['Removal of a back-up asked for', 'Eliminación de una copia de seguridad pedida'],
	'backup.removed': ['Back-up removed', 'Copia de seguridad eliminada'],
	'backup.restore_asked': ['Restoring a back-up asked for', 'Restauración de una copia de seguridad pedida'],
	'backup.restore_failed': ['Back-up could not be restored', 'No se pudo restaurar la copia de seguridad'],
	'backup.restored': ['Back-up restored', 'Copia de seguridad restaurada'],
	'desktop.assigned': ['Desktop assigned', 'Escritorio asignado'],
	'desktop.console_asked': ['An administrator asked for the console', 'Un administrador ha pedido la consola'],
	'desktop.console_closed': ['Console closed', 'Consola cerrada'],
	'desktop.console_ended': ['A console was closed by an administrator', 'Un administrador ha cerrado una consola'],
	'desktop.console_opened': ['Console opened', 'Consola abierta'],
	'desktop.created': ['Desktop created', 'Escritorio creado'],
	'desktop.creating': ['Desktop is being created', 'Creación de un escritorio'],
	'desktop.deleted': ['Desktop deleted', 'Escritorio eliminado'],
	'desktop.deleting': ['Desktop is being deleted', 'Eliminación de un escritorio'],
	'desktop.drained': ['Desktop drained', 'Escritorio sin nuevos usuarios'],
	'desktop.failed': ['Desktop failed', 'Fallo de un escritorio'],
	'host.drained': ['Host emptied', 'Servidor vaciado'],
	'host.maintenance': ['Host taken out of service', 'Servidor puesto en mantenimiento'],
	'host.resumed': ['Host put back into service', 'Servidor puesto de nuevo en servicio'],
	'personal.attached': ['A user\'s disk was attached', 'Disco de un usuario conectado'],
	'personal.detached': ['A user\'s disk was put away', 'Disco de un usuario guardado'],
	'personal.failed': ['A user\'s disk could not be brought', 'No se ha podido llevar el disco de un usuario'],
	'personal.grown': ['A user\'s disk gets more room', 'Disco de un usuario ampliado'],
	'personal.removed': ['A user\'s disk was removed', 'Disco de un usuario eliminado'],
	'personal.removing': ['A user\'s disk is to be removed', 'Se va a eliminar el disco de un usuario'],
	'personal.restored': ['A user\'s disk is back', 'Disco de un usuario recuperado'],
	'personal.unclean': ['A user\'s disk was not unmounted in order', 'El disco de un usuario no se desmontó correctamente'],
	'desktop.migrated': ['Desktop moved to another host', 'Escritorio movido a otro servidor'],
	'desktop.logoff': ['Logged off from the desktop', 'Sesión cerrada en el escritorio'],
	'desktop.console': ['Somebody is at the machine\'s own screen', 'Alguien usa la pantalla de la propia máquina'],
	'desktop.foreign': ['Somebody came in past the broker', 'Alguien ha entrado sin pasar por el gestor'],
	'desktop.left': ['Somebody who came in past the broker, or at the machine, is gone', 'Se ha ido quien había entrado sin el gestor o en la propia máquina'],
	'desktop.locked': ['Session locked', 'Sesión bloqueada'],
	'desktop.refused': ['The agent refused a user\'s lease', 'El agente ha rechazado a un usuario'],
	'desktop.unlocked': ['Session unlocked', 'Sesión desbloqueada'],
	'desktop.logon': ['Logged on to the desktop', 'Sesión iniciada en el escritorio'],
	'desktop.not_resumed': ['A suspended desktop did not come back', 'Un escritorio suspendido no ha vuelto'],
	'desktop.refreshed': ['Desktop made new', 'Escritorio renovado'],
	'desktop.refreshing': ['Desktop is being made new', 'Renovación de un escritorio'],
	'desktop.released': ['Desktop released', 'Escritorio liberado'],
	'desktop.replaced': ['Desktop replaced by the new version', 'Escritorio sustituido por la versión nueva'],
	'desktop.resized': ['Desktop has another size', 'Escritorio con otro tamaño'],
	'desktop.restoring': ['Desktop is being restored', 'Restauración de un escritorio'],
	'desktop.restarted': ['Desktop restarted', 'Escritorio reiniciado'],
	'desktop.restarting': ['Desktop is restarting', 'Reinicio de un escritorio'],
	'desktop.resumed': ['Desktop resumed', 'Escritorio reanudado'],
	'desktop.resuming': ['Desktop is being resumed', 'Reanudación de un escritorio'],
	'desktop.reverted': ['Desktop is back at a snapshot', 'Escritorio devuelto a una instantánea'],
	'desktop.snapshot': ['Snapshot taken', 'Instantánea tomada'],
	'desktop.snapshot_dropped': ['Snapshot removed', 'Instantánea eliminada'],
	'desktop.started': ['Desktop started', 'Escritorio arrancado'],
	'desktop.stopped': ['Desktop stopped', 'Escritorio detenido'],
	'desktop.suspended': ['Desktop suspended', 'Escritorio suspendido'],
	'desktop.undrained': ['Desktop takes users again', 'Escritorio admite usuarios de nuevo'],
	'entitlement.created': ['Access given', 'Acceso concedido'],
	'entitlement.deleted': ['Access taken back', 'Acceso retirado'],
	'group.changed': ['User group changed', 'Grupo de usuarios cambiado'],
	'group.created': ['User group added', 'Grupo de usuarios creado'],
	'group.deleted': ['User group removed', 'Grupo de usuarios eliminado'],
	'group.member_added': ['Member added', 'Miembro añadido'],
	'group.member_removed': ['Member removed', 'Miembro quitado'],
	'image.changed': ['Image changed', 'Imagen cambiada'],
	'image.created': ['Image added', 'Imagen creada'],
	'image.deleted': ['Image removed', 'Imagen eliminada'],
	'image.published': ['Image version published', 'Versión de imagen publicada'],
	'image.version_added': ['Image version added', 'Versión de imagen añadida'],
	'image.version_removed': ['Image version removed', 'Versión de imagen eliminada'],
	'image.version_retired': ['Image version retired', 'Versión de imagen retirada'],
	'login.blocked': ['Log-in blocked for a while', 'Inicio de sesión bloqueado un tiempo'],
	'datastore.calm': ['A datastore has room again', 'Un almacén vuelve a tener espacio'],
	'datastore.changed': ['Limits of a datastore changed', 'Límites de un almacén cambiados'],
	'datastore.critical': ['A datastore is full', 'Un almacén está lleno'],
	'datastore.filling': ['A datastore will be full soon', 'Un almacén se llenará pronto'],
	'datastore.deleted': ['Datastore forgotten', 'Almacén olvidado'],
	'datastore.maintenance_off': ['Maintenance of a datastore ended', 'Fin del mantenimiento de un almacén'],
	'datastore.maintenance_on': ['Maintenance of a datastore began', 'Inicio del mantenimiento de un almacén'],
	'datastore.offline': ['A datastore cannot be reached', 'No se puede acceder a un almacén'],
	'datastore.warning': ['A datastore fills up', 'Un almacén se está llenando'],
	'image.capture_started': ['Capture of a version began', 'Captura de una versión iniciada'],
	'image.copy_failed': ['A version could not be copied', 'No se ha podido copiar una versión'],
	'image.copy_removal_started': ['Removal of a copy of a version began', 'Eliminación de la copia de una versión iniciada'],
	'image.copy_started': ['Copy of a version to another datastore began', 'Copia de una versión a otro almacén iniciada'],
	'image.import_started': ['Import of a version began', 'Importación de una versión iniciada'],
	'image.job_cancelled': ['Work on a version cancelled', 'Trabajo con una versión cancelado'],
	'image.removal_started': ['Removal of a version began', 'Eliminación de una versión iniciada'],
	'image.version_copied': ['A version lies on a further datastore', 'Una versión está en otro almacén más'],
	'image.version_failed': ['A version could not be made', 'No se ha podido crear una versión'],
	'image.version_ready': ['A version is ready', 'Una versión está lista'],
	'login.ended': ['Logged out', 'Ha salido'],
	'login.failed': ['Log-in failed', 'Inicio de sesión fallido'],
	'login.ok': ['Logged in', 'Ha entrado'],
	'machine.down': ['A machine stopped', 'Una máquina se ha detenido'],
	'machine.gone': ['A machine disappeared', 'Una máquina ha desaparecido'],
	'machine.orphan_destroyed': ['A machine without an owner was removed', 'Se ha quitado una máquina sin dueño'],
	'pool.changed': ['Pool changed', 'Grupo de escritorios cambiado'],
	'pool.created': ['Pool made', 'Grupo de escritorios creado'],
	'pool.deleted': ['Pool deleted', 'Grupo de escritorios eliminado'],
	'pool.deleting': ['Pool is being deleted', 'Eliminación de un grupo de escritorios'],
	'pool.drain_off': ['Pool takes users again', 'El grupo admite usuarios de nuevo'],
	'pool.drain_on': ['Pool drained', 'El grupo no admite usuarios nuevos'],
	'pool.maintenance_off': ['Maintenance of the pool ended', 'Fin del mantenimiento del grupo'],
	'pool.maintenance_on': ['Maintenance of the pool began', 'Inicio del mantenimiento del grupo'],
	'provider.changed': ['Provider changed', 'Proveedor cambiado'],
	'provider.created': ['Provider added', 'Proveedor creado'],
	'provider.deleted': ['Provider removed', 'Proveedor eliminado'],
	'recycled.removed': ['Removed from the recycle bin', 'Eliminado de la papelera'],
	'rollout.canary': ['Version goes to the first desktops', 'La versión llega a los primeros escritorios'],
	'rollout.continued': ['Roll-out goes on', 'La implantación continúa'],
	'rollout.done': ['Version is everywhere', 'La versión está en todas partes'],
	'rollout.failed': ['Version does not work', 'La versión no funciona'],
	'rollout.paused': ['Roll-out paused', 'Implantación en pausa'],
	'rollout.reverted': ['Version taken back', 'Vuelta atrás de la versión'],
	'rollout.rolling': ['Version goes to all desktops', 'La versión llega a todos los escritorios'],
	'rollout.stopped': ['Roll-out stopped by failures', 'Implantación detenida por fallos'],
	'rollout.verify': ['Version is being tried', 'La versión se está probando'],
	'session.ended': ['Connection ended', 'Conexión terminada'],
	'session.guest_joined': ['A further view began', 'Ha empezado una vista adicional'],
	'session.guest_left': ['A further view is over', 'Ha acabado una vista adicional'],
	'session.guest_ended': ['A further view was ended', 'Una vista adicional se ha terminado'],
	'session.granted': ['Connection granted', 'Conexión concedida'],
	'session.started': ['Connection started', 'Conexión iniciada'],
	'session.viewed': ['A second view of the own session', 'Segunda vista de la propia sesión'],
	'session.watched': ['An administrator asked to watch', 'Un administrador ha pedido ver la sesión'],
	'task.failed': ['A task failed', 'Una tarea ha fallado'],
	'token.created': ['Token made', 'Testigo creado'],
	'token.deleted': ['Token removed', 'Testigo eliminado'],
	'user.changed': ['User changed', 'Usuario cambiado'],
	'user.created': ['User added', 'Usuario creado'],
	'user.deleted': ['User removed', 'Usuario eliminado'],
	'user.password_set': ['Password set', 'Contraseña establecida'],
	'user.unlocked': ['Account unlocked', 'Cuenta desbloqueada'],
	'user.revoked': ['Everything of the user ended', 'Se ha cortado todo acceso del usuario'],
};

/** Names of what else an event says. @type {Record<string, [string, string]>} */
const DETAILS = {
	attempts: ['attempts', 'intentos'], base: ['base', 'base'], can_input: ['keys and pointer', 'teclado y ratón'], desktop: ['desktop', 'escritorio'], display_name: ['displayed name', 'nombre visible'], epoch: ['epoch', 'época'], datastore: ['datastore', 'almacén'], free_mb: ['MB left', 'MB libres'], used_percent: ['percent full', 'por ciento ocupado'],
	error: ['error', 'error'], group: ['user group', 'grupo de usuarios'], image: ['image', 'imagen'], kind: ['kind', 'tipo'], path: ['layer', 'capa'], pool: ['pool', 'grupo'],
	protocol: ['protocol', 'protocolo'], provider: ['provider', 'proveedor'], reason: ['reason', 'motivo'], remote: ['from', 'desde'], role: ['role', 'papel'],
	seconds: ['seconds', 'segundos'], session: ['connection', 'conexión'], user: ['user', 'usuario'], version: ['version', 'versión'], via: ['through', 'mediante'],
};

/** Short codes that stand as text: protocols, and why a connection ended. @type {Record<string, [string, string]>} */
const CODES = {
	client_left: ['the viewer disconnected', 'el visor se desconectó'], delete: ['the desktop was deleted', 'se eliminó el escritorio'], ended_admin: ['by an administrator', 'por un administrador'],
	gateway_gone: ['the gateway stopped', 'la pasarela se detuvo'], gateway_lost: ['the gateway was lost', 'se perdió la pasarela'], idle: ['idle', 'inactividad'],
	logoff: ['by the user', 'por el usuario'], logoff_admin: ['by an administrator', 'por un administrador'], logoff_idle: ['too long without a connection', 'demasiado tiempo sin conexión'],
	moved: ['moved to another client', 'trasladada a otro cliente'], not_started: ['the viewer did not come', 'el visor no llegó'], refresh: ['the desktop was made new', 'se renovó el escritorio'],
	restart: ['the desktop was restarted', 'se reinició el escritorio'], revert: ['the desktop went back to a snapshot', 'el escritorio volvió a una instantánea'],
	stop: ['the desktop was stopped', 'se detuvo el escritorio'], revoked: ['access was withdrawn', 'se retiró el acceso'], rdp: ['RDP', 'RDP'], rfb: ['VNC', 'VNC'],
	viewer_left: ['the viewer left', 'el visor se fue'], web: ['browser', 'navegador'], ws: ['browser', 'navegador'],
};

/** Beginnings of kinds, for the filter. @type {Record<string, [string, string]>} */
const FAMILIES = {
	'login.': ['Log-ins', 'Inicios de sesión'],
	'session.': ['Connections', 'Conexiones'],
	'desktop.': ['Desktops', 'Escritorios'],
	'personal.': ['Personal disks', 'Discos personales'],
	'machine.': ['Machines', 'Máquinas'],
	'task.': ['Tasks', 'Tareas'],
	'pool.': ['Pools', 'Grupos de escritorios'],
	'image.': ['Images', 'Imágenes'],
	'datastore.': ['Datastores', 'Almacenes'],
	'provider.': ['Providers', 'Proveedores'],
	'user.': ['Users', 'Usuarios'],
	'group.': ['User groups', 'Grupos de usuarios'],
	'entitlement.': ['Access', 'Accesos'],
	'token.': ['Tokens', 'Testigos'],
	'agent.': ['Agents', 'Agentes'],
};

addSentences(Object.fromEntries([...Object.entries(DETAILS).map(([key, words]) => [`detail.${key}`, words]), ...Object.entries(CODES).map(([key, words]) => [`code.${key}`, words])]));
addSentences(Object.fromEntries([...Object.entries(KINDS), ...Object.entries(FAMILIES)].map(([kind, words]) => [`event.${kind}`, words])));

/** @param {string} kind */
export function eventWord(kind) {
	return KINDS[kind] ? t(`event.${kind}`) : kind;
}

/** "user: ", or nothing before a text that speaks for itself. @param {string} key */
export function detailWord(key) {
	return key === 'text' ? '' : `${DETAILS[key] ? t(`detail.${key}`) : key.replaceAll('_', ' ')}: `;
}

/** @param {string} key @param {string} value */
export function detailValue(key, value) {
	return ['text', 'via', 'protocol', 'reason'].includes(key) && Object.hasOwn(CODES, value) ? t(`code.${value}`) : value;
}

/** @returns {[string, string][]} */
export function eventFamilies() {
	return Object.keys(FAMILIES).map((kind) => [kind, t(`event.${kind}`)]);
}

/** @param {string} kind @returns {import('../shared/states.js').Tone} */
export function eventTone(kind) {
	if (/failed|blocked|critical|offline|\.gone|\.down|orphan/.test(kind))
		return 'bad';
	if (/desktop\.foreign|desktop\.refused|deleted|deleting|\.warning$|removed|revoked|_on$|drained/.test(kind))
		return 'warn';
	return /created|started|assigned|\.ok|published|logon/.test(kind) ? 'good' : 'plain';
}
