/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sentences that people read: what is so, and where they can act, what to do.
 */
#include "broker/core/reason.h"

#include "broker/core/foreign.h"
#include "broker/core/phrase.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *code, *en, *es;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { "", "", "" },
	[REASON_QUEUE] = { "queue", "You are number {0} in the queue for a desktop.",
	                   "Está en el puesto {0} de la cola para un escritorio." },
	[REASON_POOL_FULL] = { "pool_full", "All {0} desktops of this pool are in use; yours comes when one is free.",
	                       "Los {0} escritorios de este grupo están en uso; el suyo llegará cuando quede uno libre." },
	[REASON_HOST_FULL] = { "host_full", "Waiting for a free host: {0} of {1} places are taken.",
	                       "A la espera de un servidor libre: {0} de {1} plazas están ocupadas." },
	[REASON_STARTING] = { "starting", "The desktop is starting.", "El escritorio está arrancando." },
	[REASON_CREATING] = { "creating", "A desktop is being made for you.", "Se está creando un escritorio para usted." },
	[REASON_AGENT_WAIT] = { "agent_wait", "The desktop runs; waiting for its agent to report.",
	                        "El escritorio funciona; a la espera de que responda su agente." },
	[REASON_LOGGING_OFF] = { "logging_off", "The previous log-on to this desktop is being closed.",
	                         "Se está cerrando la sesión anterior de este escritorio." },
	[REASON_REFRESHING] = { "refreshing", "The desktop is being made new.", "El escritorio se está renovando." },
	[REASON_RESTARTING] = { "restarting", "The desktop is restarting.", "El escritorio se está reiniciando." },
	[REASON_RESUMING] = { "resuming", "A suspended desktop is being resumed.", "Se está reanudando un escritorio suspendido." },
	[REASON_POOL_DISABLED] = { "pool_disabled", "This pool is switched off; ask your administrator.",
	                           "Este grupo está desactivado; consulte a su administrador." },
	[REASON_POOL_DRAIN] = { "pool_drain", "This pool takes no new users now; ask your administrator.",
	                        "Este grupo no admite ahora usuarios nuevos; consulte a su administrador." },
	[REASON_POOL_MAINTENANCE] = { "pool_maintenance", "This pool is under maintenance; try again later.",
	                              "Este grupo está en mantenimiento; inténtelo más tarde." },
	[REASON_POOL_DELETING] = { "pool_deleting", "This pool is being deleted.", "Este grupo se está eliminando." },
	[REASON_NO_POOL] = { "no_pool", "There is no such pool.", "Ese grupo no existe." },
	[REASON_TOO_MANY_WAITERS] = { "too_many_waiters", "Too many users are waiting; try again in a minute.",
	                              "Hay demasiados usuarios en espera; inténtelo dentro de un minuto." },
	[REASON_POOL_ZERO] = { "pool_zero", "This pool may have no desktops: its maximum is 0.",
	                       "Este grupo no puede tener escritorios: su máximo es 0." },
	[REASON_NO_PROVISIONER] = { "no_provisioner", "No provisioner is connected; desktops cannot be made until it is back.",
	                            "No hay ningún aprovisionador conectado; no se pueden crear escritorios hasta que vuelva." },
	[REASON_NO_PROVIDER] = { "no_provider", "The pool's provider does not exist.", "El proveedor del grupo no existe." },
	[REASON_PROVIDER_DISABLED] = { "provider_disabled", "The provider {0} is switched off.",
	                               "El proveedor {0} está desactivado." },
	[REASON_PROVIDER_UNHEALTHY] = { "provider_unhealthy", "The provider {0} is not healthy: {1}",
	                                "El proveedor {0} no está disponible: {1}" },
	[REASON_NO_HOST] = { "no_host", "No host of {0} can take the desktop: {1}.",
	                     "Ningún servidor de {0} puede alojar el escritorio: {1}." },
	[REASON_HOST_AWAY] = { "host_away", "The host {0} cannot be asked: {1}", "No se puede consultar el servidor {0}: {1}" },
	[REASON_HOST_DRAINING] = { "host_draining", "In maintenance: {0} of {1} desktops have left it.",
	                           "En mantenimiento: han salido {0} de {1} escritorios." },
	[REASON_HOST_EMPTY] = { "host_empty", "In maintenance: no desktop is on it.", "En mantenimiento: no queda ningún escritorio." },
	[REASON_HOST_UNKNOWN] = { "no_such_host", "There is no host {0}.", "No existe el servidor {0}." },
	[REASON_HOST_CLOSED] = { "host_closed", "The host {0} takes no desktops now: it is in maintenance or away.",
	                         "El servidor {0} no admite escritorios ahora: está en mantenimiento o no responde." },
	[REASON_MOVE_STOPPED] = { "move_stopped", "It does not run, so it cannot be moved: start it or delete it.",
	                          "No está en marcha y no se puede trasladar: arránquelo o elimínelo." },
	[REASON_MOVE_FAILED] = { "move_failed", "The move to {0} failed and is tried again: {1}",
	                         "El traslado a {0} ha fallado y se repetirá: {1}" },
	[REASON_NO_IMAGE] = { "no_image", "The pool's image has no published version; publish one.",
	                      "La imagen del grupo no tiene ninguna versión publicada; publique una." },
	[REASON_BREAKER] = { "breaker", "Making desktops failed several times and is paused for {0} s: {1}",
	                     "La creación de escritorios ha fallado varias veces y se detiene {0} s: {1}" },
	[REASON_PACED] = { "paced", "Many desktops are starting; the next one starts in a moment.",
	                   "Están arrancando muchos escritorios; el siguiente arranca en un momento." },
	[REASON_PREPARING_LIMIT] = { "preparing_limit", "The provider prepares {0} desktops at a time; {1} are being prepared.",
	                             "El proveedor prepara {0} escritorios a la vez; se están preparando {1}." },
	[REASON_READY] = { "ready", "Ready for a user.", "Listo para un usuario." },
	[REASON_ASSIGNED] = { "assigned", "Assigned to {0}.", "Asignado a {0}." },
	[REASON_CONNECTED] = { "connected", "{0} is connected.", "{0} está conectado." },
	[REASON_DISCONNECTED] = { "disconnected", "{0} is disconnected; the programs go on running.",
	                          "{0} está desconectado; los programas siguen en marcha." },
	[REASON_DELETING] = { "deleting", "The desktop is being deleted.", "El escritorio se está eliminando." },
	[REASON_DRAINED] = { "drained", "An administrator keeps new users away from this desktop.",
	                     "Un administrador no admite usuarios nuevos en este escritorio." },
	[REASON_TASK_RETRY] = { "task_retry", "The last attempt failed and is repeated: {0}",
	                        "El último intento ha fallado y se repite: {0}" },
	[REASON_TASK_FAILED] = { "task_failed", "The provider could not {0} the desktop: {1}",
	                         "El proveedor no ha podido completar «{0}»: {1}" },
	[REASON_TASK_SILENT] = { "task_silent", "The provider has not answered yet; asked {0} times.",
	                         "El proveedor aún no ha respondido; se le ha pedido {0} veces." },
	[REASON_AGENT_SILENT] = { "agent_silent", "The agent in the desktop did not report within {0} s.",
	                          "El agente del escritorio no ha respondido en {0} s." },
	[REASON_MACHINE_GONE] = { "machine_gone", "The machine no longer exists on its host.",
	                          "La máquina ya no existe en su servidor." },
	[REASON_MACHINE_DOWN] = { "machine_down", "The machine stopped: {0}", "La máquina se ha detenido: {0}" },
	[REASON_MACHINE_UNKNOWN] = { "machine_unknown", "The provider {0} cannot be asked about this machine now; it goes to nobody new meanwhile.",
	                             "Ahora no se puede consultar esta máquina al proveedor {0}; mientras tanto no se asigna a nadie nuevo." },
	[REASON_MACHINE_MISSING] = { "machine_missing", "The last list of the provider {0} does not have this machine; it goes to nobody new meanwhile.",
	                             "La última lista del proveedor {0} no incluye esta máquina; mientras tanto no se asigna a nadie nuevo." },
	[REASON_AGENT_FAILED] = { "agent_failed", "The desktop's session failed: {0}",
	                          "La sesión del escritorio ha fallado: {0}" },
	[REASON_REAPER_PAUSED] = { "reaper_paused",
	                           "{0} machines belong to no desktop; that is too many to remove without an administrator.",
	                           "{0} máquinas no pertenecen a ningún escritorio; son demasiadas para eliminarlas sin un administrador." },
	[REASON_MOVED] = { "moved", "Moved to another client.", "Trasladado a otro cliente." },
	[REASON_LOGOFF_USER] = { "logoff", "You have logged off.", "Ha cerrado la sesión." },
	[REASON_LOGOFF_ADMIN] = { "logoff_admin", "An administrator has logged you off.",
	                          "Un administrador ha cerrado su sesión." },
	[REASON_LOGOFF_IDLE] = { "logoff_idle", "Logged off after {0} s without a connection.",
	                         "Sesión cerrada tras {0} s sin conexión." },
	[REASON_END_STOP] = { "stop", "Your desktop is being stopped by an administrator.",
	                      "Un administrador está deteniendo su escritorio." },
	[REASON_END_REVERT] = { "revert", "Your desktop goes back to a snapshot; connect again in a moment.",
	                        "Su escritorio vuelve a una instantánea; conéctese de nuevo en un momento." },
	[REASON_PARKED] = { "parked", "Stopped by an administrator.", "Detenido por un administrador." },
	[REASON_SUSPENDED] = { "suspended", "Suspended, until somebody needs it.", "Suspendido hasta que alguien lo necesite." },
	[REASON_TIER_NOT_CARRIED] = { "tier_not_carried", "The provider {0} cannot suspend desktops.", "El proveedor {0} no puede suspender escritorios." },
	[REASON_TIER_NOT_SUSPENDED] = { "tier_not_suspended", "{0} could not be suspended and stays as it is; it is tried again after a while: {1}",
	                                "{0} no se ha podido suspender y sigue como está; se reintentará más tarde: {1}" },
	[REASON_TIER_NOT_RESUMED] = { "tier_not_resumed", "{0} was to be resumed and did not come back; for a while nothing is suspended or resumed: {1}",
	                              "{0} debía reanudarse y no ha vuelto; durante un tiempo no se suspende ni se reanuda nada: {1}" },
	[REASON_OPERATING] = { "operating", "Under way: {0}.", "En curso: {0}." },
	[REASON_NOT_LIVE] = { "not_live", "The desktop is not in a state in which this can be done; wait until it is ready.",
	                      "El escritorio no está en un estado que lo permita; espere a que esté listo." },
	[REASON_NOT_CARRIED] = { "not_carried", "The desktop's provider does not carry this: {0}.",
	                         "El proveedor del escritorio no lo permite: {0}." },
	[REASON_HAS_DESKTOP] = { "has_desktop", "{0} has a desktop in this pool already, or this one is there: remove that first.",
	                         "{0} ya tiene un escritorio en este grupo, o este ya existe: elimínelo antes." },
	[REASON_END_RESTART] = { "restart", "Your desktop is being restarted; connect again in a moment.",
	                         "Su escritorio se está reiniciando; vuelva a conectar en un momento." },
	[REASON_END_REFRESH] = { "refresh", "An administrator is making this desktop new from its image; connect again in a moment.",
	                         "Un administrador está renovando este escritorio desde su imagen; vuelva a conectar en un momento." },
	[REASON_END_DELETE] = { "delete", "The desktop is being deleted.", "El escritorio se está eliminando." },
	[REASON_END_ADMIN] = { "ended_admin", "An administrator has ended the connection.",
	                       "Un administrador ha cerrado la conexión." },
	[REASON_NOT_STARTED] = { "not_started", "The viewer did not come.", "El visor no se ha conectado." },
	[REASON_VIEWER_LEFT] = { "viewer_left", "The viewer has left.", "El visor se ha desconectado." },
	[REASON_GATEWAY_LOST] = { "gateway_lost", "The gateway no longer carries this connection.",
	                          "La pasarela ya no mantiene esta conexión." },
	[REASON_REVOKED] = { "revoked", "Your access has been withdrawn.", "Su acceso se ha retirado." },
	[REASON_UNKNOWN_SESSION] = { "unknown_session", "This connection is no longer valid; connect again.",
	                             "Esta conexión ya no es válida; conéctese de nuevo." },
	[REASON_FOREIGN_USER] = { "foreign_user", "The desktop belongs to somebody else now.",
	                          "El escritorio pertenece ahora a otra persona." },
	[REASON_NO_DESKTOP] = { "no_desktop", "There is no such desktop.", "Ese escritorio no existe." },
	[REASON_NO_SESSION] = { "no_session", "There is no such connection, or it has ended.",
	                        "Esa conexión no existe o ha terminado." },
	[REASON_NOT_YOURS] = { "not_yours", "This desktop is not assigned to you.", "Este escritorio no está asignado a usted." },
	[REASON_NOT_READY] = { "not_ready", "The desktop is not ready: {0}", "El escritorio no está listo: {0}" },
	[REASON_STALE_TICKET] = { "stale_ticket", "The ticket is of an earlier assignment; connect again.",
	                          "El tique es de una asignación anterior; conéctese de nuevo." },
	[REASON_BUSY_TASK] = { "busy", "The desktop is busy ({0}); try again when it is done.",
	                       "El escritorio está ocupado ({0}); inténtelo cuando termine." },
	[REASON_NOT_ASSIGNED] = { "not_assigned", "Nobody is logged on to this desktop.",
	                          "Nadie tiene sesión en este escritorio." },
	[REASON_NO_MEMORY] = { "no_memory", "The broker is out of memory; try again.",
	                       "El broker no tiene memoria; inténtelo de nuevo." },
	[REASON_PROBE] = { "probe", "Made to see whether version {0} works; nobody gets it.",
	                   "Creado para comprobar si la versión {0} funciona; no se asigna a nadie." },
	[REASON_VERIFY_FAILED] = { "verify_failed", "A desktop of version {0} was tried and did not work; nothing else has changed. {1}",
	                           "Se ha probado un escritorio de la versión {0} y no funciona; nada más ha cambiado. {1}" },
	[REASON_ROLLOUT_STOPPED] = { "rollout_stopped", "Stopped after {0} failures of the new version; go on or take it back. {1}",
	                             "Detenida tras {0} fallos de la versión nueva; continúe o vuelva atrás. {1}" },
	[REASON_LOGONS_FAIL] = { "logons_fail", "Taken back by itself: {0} of {1} log-ons to the new version failed.",
	                         "Vuelta atrás automática: han fallado {0} de {1} inicios de sesión en la versión nueva." },
	[REASON_LOGONS_SLOWER] = { "logons_slower", "Taken back by itself: log-ons took {0} ms before and take {1} ms with the new version (medians).",
	                           "Vuelta atrás automática: los inicios de sesión tardaban {0} ms y con la versión nueva tardan {1} ms (medianas)." },
	[REASON_PREPARING_SLOWER] = { "preparing_slower", "Taken back by itself: a desktop was ready after {0} ms and is after {1} ms with the new version (medians).",
	                              "Vuelta atrás automática: un escritorio estaba listo en {0} ms y con la versión nueva en {1} ms (medianas)." },
	[REASON_END_VERSION] = { "new_version", "Your desktop gets a new version now; connect again in a moment.",
	                         "Su escritorio recibe ahora una versión nueva; vuelva a conectar en un momento." },
	[REASON_VERSION_NOTICE] = { "version_notice", "This desktop gets a new version: you are logged off in {0} minutes. Save your work.",
	                            "Este escritorio recibe una versión nueva: su sesión se cerrará en {0} minutos. Guarde su trabajo." },
	[REASON_ROLLOUT_LIVE] = { "rollout_live", "Version {0} is being rolled out: wait until it is done, or take it back first.",
	                          "La versión {0} se está implantando: espere a que termine o vuelva atrás primero." },
	[REASON_NO_ROLLOUT] = { "no_rollout", "No version of this image is being rolled out.", "No se está implantando ninguna versión de esta imagen." },
	[REASON_ROLLOUT_PAUSED] = { "rollout_paused", "Paused by {0}: nothing more of the new version is made.",
	                            "En pausa por {0}: no se crea nada más de la versión nueva." },
	[REASON_ROLLOUT_TAKEN_BACK] = { "taken_back", "Taken back by {0}.", "Vuelta atrás por {0}." },
	[REASON_NO_SUCH_IMAGE] = { "no_such_image", "There is no such image.", "Esa imagen no existe." },
	[REASON_ROLLOUT_VERIFY] = { "rollout_verify", "One desktop of version {0} is being made and tried.",
	                            "Se está creando y probando un escritorio de la versión {0}." },
	[REASON_ROLLOUT_CANARY] = { "rollout_canary", "{0} of {1} desktops have the new version, and no more get it for now.",
	                            "{0} de {1} escritorios tienen la versión nueva y, por ahora, no la recibirán más." },
	[REASON_ROLLOUT_ROLLING] = { "rollout_rolling", "{0} of {1} desktops have the new version.", "{0} de {1} escritorios tienen la versión nueva." },
	[REASON_ROLLOUT_DONE] = { "rollout_done", "Version {0} is everywhere.", "La versión {0} está en todas partes." },
	[REASON_PERSONAL_BRING] = { "personal_bring", "Your files are being brought to the desktop.",
	                            "Se están llevando sus archivos al escritorio." },
	[REASON_PERSONAL_TAKE] = { "personal_take", "The files of the last user are being put away.",
	                           "Se están guardando los archivos del último usuario." },
	[REASON_PERSONAL_ELSEWHERE] = { "personal_elsewhere", "Your files are still with the desktop {0}; they come when it has let go of them.",
	                                "Sus archivos siguen en el escritorio {0}; llegarán cuando este los suelte." },
	[REASON_PERSONAL_FAILED] = { "personal_failed", "Your files cannot be brought to a desktop: {0} Try again later, or ask your administrator.",
	                             "No se pueden llevar sus archivos a ningún escritorio: {0} Inténtelo más tarde o consulte a su administrador." },
	[REASON_PERSONAL_SILENT] = { "personal_silent", "The desktop did not take the user's files within {0} s; its image may be too old for it.",
	                             "El escritorio no ha tomado los archivos del usuario en {0} s; quizá su imagen sea demasiado antigua." },
	[REASON_PERSONAL_HELD] = { "personal_held", "Its user's files are with the desktop: wait until they have been put away.",
	                           "Los archivos de su usuario están en el escritorio: espere a que se hayan guardado." },
	[REASON_POOL_READY] = { "pool_ready", "{0} of {1} desktops are free.", "{0} de {1} escritorios están libres." },
	[REASON_POOL_SUSPENDED] = { "pool_suspended", "{0} desktops are suspended, and resumed as users come.",
	                            "{0} escritorios están suspendidos y se reanudan cuando llegan usuarios." },
	[REASON_POOL_EMPTY] = { "pool_empty", "No desktop is running; one is made when a user comes.",
	                        "No hay ningún escritorio en marcha; se crea uno cuando llegue un usuario." },
	[REASON_POOL_STARTING] = { "pool_starting", "{0} desktops are being prepared.", "Se están preparando {0} escritorios." },
	[REASON_YOURS] = { "yours", "Your desktop is waiting for you.", "Su escritorio le espera." },
};

const char *reason_code(enum reason which)
{
	return reasons[which].code;
}

void reason_set(struct core_reason *r, enum reason which, const char *a, const char *b)
{
	/* The arguments may point into *r. */
	char en[CORE_TEXT_SIZE], es[CORE_TEXT_SIZE], spanish_a[CORE_TEXT_SIZE], spanish_b[CORE_TEXT_SIZE];
	const char *const arg[2] = { a, b };
	const char *const arg_es[2] = { a && foreign_spanish(a, spanish_a, sizeof(spanish_a)) ? spanish_a : a,
		                        b && foreign_spanish(b, spanish_b, sizeof(spanish_b)) ? spanish_b : b };

	phrase_fill(en, sizeof(en), reasons[which].en, arg);
	phrase_fill(es, sizeof(es), reasons[which].es, arg_es);
	snprintf(r->code, sizeof(r->code), "%s", reasons[which].code);
	memcpy(r->en, en, sizeof(en));
	memcpy(r->es, es, sizeof(es));
}

void reason_set_spanish(struct core_reason *r, enum reason which, const char *a, const char *b)
{
	const char *const arg[2] = { a, b };
	char es[CORE_TEXT_SIZE];

	phrase_fill(es, sizeof(es), reasons[which].es, arg);
	memcpy(r->es, es, sizeof(es));
}

void reason_set_phrase(struct core_reason *r, enum reason which, const char *a, const struct core_reason *why)
{
	struct core_reason filled;
	const char *const en[2] = { a, why->en }, *const es[2] = { a, why->es[0] ? why->es : why->en };

	snprintf(filled.code, sizeof(filled.code), "%s", reasons[which].code);
	phrase_fill(filled.en, sizeof(filled.en), reasons[which].en, en);
	phrase_fill(filled.es, sizeof(filled.es), reasons[which].es, es);
	*r = filled;
}

void reason_set_numbers(struct core_reason *r, enum reason which, int64_t a, int64_t b)
{
	char first[24], second[24];

	snprintf(first, sizeof(first), "%lld", (long long)a);
	snprintf(second, sizeof(second), "%lld", (long long)b);
	reason_set(r, which, first, second);
}

bool reason_spanish(const char *en, char *es, size_t size)
{
	for (size_t i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (phrase_translate(reasons[i].en, reasons[i].es, en, es, size))
			return true;
	return false;
}
