/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row for each sentence of a detail; the core's reasons bring their own Spanish. */
#include "broker/api/words.h"

#include "base/mem.h"
#include "broker/core/phrase.h"
#include "broker/core/reason.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *en, *es;
} table[] = {
	{"it is missing", "falta"},
	{"it is empty", "está vacío"},
	{"it is too long", "es demasiado largo"},
	{"it must be a string", "debe ser un texto"},
	{"it must be true or false", "debe ser verdadero o falso"},
	{"it must be an object", "debe ser un objeto"},
	{"it must be a whole number from {0} to {1}", "debe ser un número entero de {0} a {1}"},
	{"it must be the seq of an event", "debe ser el seq de un evento"},
	{"it holds a zero byte: leave it out", "contiene un byte cero: quítelo"},
	{"it holds a control character: leave it out", "contiene un carácter de control: quítelo"},
	{"there is no such field", "ese campo no existe"},
	{"use one of {0}", "use uno de {0}"},
	{"give an id or a name", "indique un id o un nombre"},
	{"give exactly one of the two", "indique exactamente uno de los dos"},
	{"{0} characters are too many: {1} at most", "{0} caracteres son demasiados: {1} como máximo"},
	{"the text is not valid UTF-8", "el texto no es UTF-8 válido"},
	{"character {0} is a control or invisible character: leave it out",
		"el carácter {0} es de control o invisible: quítelo"},
	{"it is empty: give 1 to {0} characters", "está vacío: escriba de 1 a {0} caracteres"},
	{"it begins or ends with a space: leave it out", "empieza o acaba con un espacio: quítelo"},
	{"use 1 to {0} of the characters A-Z a-z 0-9 . _ - and begin with a letter or digit",
		"use de 1 a {0} de los caracteres A-Z a-z 0-9 . _ - y empiece por letra o cifra"},
	{"'#' parts the user from the pool in RDP and VNC (ana#pool): leave it out",
		"'#' separa el usuario del grupo en RDP y VNC (ana#grupo): quítelo"},
	{"the password is longer than {0} bytes: choose a shorter one",
		"la contraseña tiene más de {0} bytes: elija una más corta"},
	{"the password has fewer than {0} characters: choose a longer one",
		"la contraseña tiene menos de {0} caracteres: elija una más larga"},
	{"the password is not valid UTF-8 text", "la contraseña no es texto UTF-8 válido"},
	{"the password holds a control character: leave it out",
		"la contraseña contiene un carácter de control: quítelo"},
	{"it is not your password", "no es su contraseña"},
	{"{0} is more than max, which is {1}", "{0} es más que max, que es {1}"},
	{"use 'host' or an absolute path without '..'", "use 'host' o una ruta absoluta sin '..'"},
	{"use an absolute path without '..'", "use una ruta absoluta sin '..'"},
	{"'latest' stands for the published one: choose another word",
		"'latest' es la publicada: elija otra palabra"},
	{"provider {0} cannot suspend desktops: give 0", "el proveedor {0} no puede suspender escritorios: indique 0"},
	{"there is no datastore '{0}'", "no existe el almacén '{0}'"},
	{"'{0}' is a provider's own directory and takes no images", "'{0}' es la carpeta propia de un proveedor y no admite imágenes"},
	{"give the name of a file in the datastore's folder 'incoming', without a path",
		"indique el nombre de un archivo de la carpeta 'incoming' del almacén, sin ruta"},
	{"give both limits, or 0 for both", "indique los dos límites, o 0 en ambos"},
	{"it must be below critical", "debe ser menor que critical"},
	{"the provisioner has it: take its section out of provisioner.conf first",
		"el aprovisionador lo tiene: quite antes su sección de provisioner.conf"},
	{"stop the desktop '{0}' first: its disk must not change meanwhile",
		"detenga antes el escritorio '{0}': su disco no debe cambiar mientras tanto"},
	{"nothing is being done with the version '{0}'", "no se está haciendo nada con la versión '{0}'"},
	{"something is being done with the version '{0}': cancel it, or wait for its end",
		"hay una tarea en curso con la versión '{0}': cancélela o espere a que acabe"},
	{"the version is needed by: {0}", "la versión la necesitan: {0}"},
	{"versions with files on datastores: {0}", "versiones con archivos en almacenes: {0}"},
	{"there is no deleted desktop '{0}'", "no existe el escritorio eliminado '{0}'"},
	{"the provisioner is not connected", "el aprovisionador no está conectado"},
	{"the pool or the user of the desktop '{0}' is no more", "ya no existe el grupo o el usuario del escritorio '{0}'"},
	{"there is no back-up '{0}'", "no existe la copia de seguridad '{0}'"},
	{"there is no desktop that can be backed up '{0}'", "no existe el escritorio '{0}', o no está listo para una copia de seguridad"},
	{"there is no datastore for back-ups: give one the role 'backups' in provisioner.conf",
		"no hay ningún almacén para copias de seguridad: dé a uno el papel 'backups' en provisioner.conf"},
	{"the provider of the desktop '{0}' makes no back-ups", "el proveedor del escritorio '{0}' no hace copias de seguridad"},
	{"a back-up of the desktop '{0}' is being made, restored or removed: wait for its end, or cancel it",
		"se está haciendo, restaurando o quitando una copia de seguridad del escritorio '{0}': espere a que acabe o cancélela"},
	{"stop the desktop '{0}' first: its disk is exchanged", "detenga antes el escritorio '{0}': se le cambia el disco"},
	{"the back-up stands on version '{0}' of its image and the desktop '{1}' on another one: delete the desktop, then restore the back-up as a new one",
		"la copia se apoya en la versión '{0}' de su imagen y el escritorio '{1}' en otra: elimine el escritorio y restaure la copia como uno nuevo"},
	{"the user '{0}' has another desktop of that pool by now: delete it first",
		"el usuario '{0}' tiene ya otro escritorio de ese grupo: elimínelo antes"},
	{"back-ups of desktops stand on the version '{0}': remove those {1} first",
		"en la versión '{0}' se apoyan copias de seguridad de escritorios: quite antes esas {1}"},
	{"there is nothing in that back-up: choose another one", "esa copia de seguridad no contiene nada: elija otra"},
	{"version '{0}' of the image '{1}', which the back-up stands on, is no more",
		"ya no existe la versión '{0}' de la imagen '{1}', en la que se apoya la copia"},
	{"nothing is being done with that back-up", "no se está haciendo nada con esa copia de seguridad"},
	{"there is no datastore for back-ups: provisioner.conf wants one with role = backups",
		"no hay ningún almacén para copias de seguridad: hace falta uno con role = backups en provisioner.conf"},
	{"there is no datastore {0} for back-ups: provisioner.conf wants [datastore-{1}] with role = backups",
		"no hay ningún almacén {0} para copias de seguridad: hace falta [datastore-{1}] con role = backups en provisioner.conf"},
	{"datastore {0} is offline: {1}", "el almacén {0} no responde: {1}"},
	{"datastore {0} has room for {1} MB, and the back-up may need {2} MB: make room, or keep fewer",
		"en el almacén {0} caben {1} MB y la copia puede necesitar {2} MB: haga sitio o conserve menos copias"},
	{"a command for the desktop came, and goes first", "llegó una orden para el escritorio, que va antes"},
	{"it was cancelled", "se canceló"},
	{"the desktop runs: stop it first", "el escritorio está en marcha: deténgalo antes"},
	{"version {0} of image {1}, which the back-up stands on, is not there ({2}): bring it back first",
		"no está la versión {0} de la imagen {1}, en la que se apoya la copia ({2}): recupérela antes"},
	{"one of the back-ups that this one stands on is lost: choose an older one",
		"se ha perdido una de las copias en las que se apoya esta: elija una más antigua"},
	{"datastore {0} has no such back-up any more", "el almacén {0} ya no tiene esa copia"},
	{"{0}: its bytes are not those that were backed up: choose another back-up",
		"{0}: sus bytes no son los que se copiaron: elija otra copia"},
	{"it is not in the recycle bin", "no está en la papelera"},
	{"there is no desktop '{0}'", "no existe el escritorio '{0}'"},
	{"there is no entitlement '{0}'", "no existe el permiso '{0}'"},
	{"there is no group '{0}'", "no existe el grupo de usuarios '{0}'"},
	{"there is no image '{0}'", "no existe la imagen '{0}'"},
	{"there is no image version '{0}'", "no existe la versión de imagen '{0}'"},
	{"there is no pool '{0}'", "no existe el grupo '{0}'"},
	{"provider {0} has no network '{1}'", "el proveedor {0} no tiene la red '{1}'"},
	{"provider {0} has no host '{1}'", "el proveedor {0} no tiene el servidor '{1}'"},
	{"there is no provider '{0}'", "no existe el proveedor '{0}'"},
	{"there is no session '{0}'", "no existe la sesión '{0}'"},
	{"the session is over, or not in a browser", "la sesión ha terminado o no está en un navegador"},
	{"there is no user '{0}'", "no existe el usuario '{0}'"},
	{"there is no such desktop", "no existe ese escritorio"},
	{"there is no such object, or it has changed", "no existe ese objeto, o ha cambiado"},
	{"you have no such desktop", "no tiene ese escritorio"},
	{"this desktop is not assigned to you", "este escritorio no está asignado a usted"},
	{"the desktop's agent is not connected: try again later",
		"el agente del escritorio no está conectado: inténtelo más tarde"},
	{"the pool '{0}' is being deleted", "el grupo '{0}' se está eliminando"},
	{"the version '{0}' is {1}: publish one that is ready",
		"la versión '{0}' está en estado {1}: publique una que esté lista"},
	{"the version '{0}' is the published one: publish another one first",
		"la versión '{0}' es la publicada: publique antes otra"},
	{"the version '{0}' is being rolled out: take it back first", "la versión '{0}' se está implantando: vuelva atrás primero"},
	{"the version '{0}' is ready: retire it first", "la versión '{0}' está lista: retírela primero"},
	{"use a time as 2026-12-01T18:00:00.000Z", "use una hora como 2026-12-01T18:00:00.000Z"},
	{"use pause, continue or rollback", "use pause, continue o rollback"},
	{"pools: {0}; desktops: {1}", "grupos: {0}; escritorios: {1}"},
	{"pools: {0}", "grupos: {0}"},
	{"desktops: {0}", "escritorios: {0}"},
	{"it is at revision {0} now", "ahora está en la revisión {0}"},
	{"wait {0} s", "espere {0} s"},
	{"the body must be an object", "el cuerpo debe ser un objeto"},
	{"the address is too long", "la dirección es demasiado larga"},
	{"the query is not well formed, or has more than {0} fields",
		"la consulta no está bien formada o tiene más de {0} campos"},
	{"an Idempotency-Key has 1 to {0} characters", "una Idempotency-Key tiene de 1 a {0} caracteres"},
	{"{0} bytes; at most {1} here", "{0} bytes; aquí {1} como máximo"},
	{"{0} live streams for each user, {1} in all", "{0} flujos por usuario, {1} en total"},
	{"only 'Authorization: Bearer TOKEN' is understood", "solo se entiende 'Authorization: Bearer TOKEN'"},
	{"the bearer token is unknown or over", "el token no existe o ha caducado"},
	{"a bearer token does not log out: remove the token", "un token no cierra sesión: elimine el token"},
	{"there was no memory for the answer", "no había memoria para la respuesta"},
};

static bool sentence_spanish(const char *en, char *ret, size_t size)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		if (phrase_translate(table[i].en, table[i].es, en, ret, size))
			return true;
	}
	return reason_spanish(en, ret, size);
}

bool words_spanish(const char *detail, const char *field, char *ret, size_t size)
{
	size_t len = field ? strlen(field) : 0, used;

	if (len == 0 || strncmp(detail, field, len) != 0 || strncmp(detail + len, ": ", 2) != 0)
		return sentence_spanish(detail, ret, size);
	used = (size_t)snprintf(ret, size, "%s: ", field);
	return used < size && sentence_spanish(detail + len + 2, ret + used, size - used);
}
