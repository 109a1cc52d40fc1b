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
	{"use 'host', an absolute path without '..', iscsi:// or nfs://, or 'ref:NAME' for what the hypervisor has by that name",
		"use 'host', una ruta absoluta sin '..', iscsi:// o nfs://, o 'ref:NOMBRE' para lo que el hipervisor tiene con ese nombre"},
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
	{"the version '{0}' is not ready, or has no files on a datastore", "la versión '{0}' no está lista o no tiene archivos en un almacén"},
	{"the datastore '{0}' has the version '{1}' already", "el almacén '{0}' ya tiene la versión '{1}'"},
	{"there is no copy on that datastore", "en ese almacén no hay ninguna copia"},
	{"something is being done with the version '{0}': cancel it, or wait for its end",
		"hay una tarea en curso con la versión '{0}': cancélela o espere a que acabe"},
	{"the version is needed by: {0}", "la versión la necesitan: {0}"},
	{"versions with files on datastores: {0}", "versiones con archivos en almacenes: {0}"},
	{"there is no deleted desktop '{0}'", "no existe el escritorio eliminado '{0}'"},
	{"the provisioner is not connected", "el aprovisionador no está conectado"},
	{"the pool or the user of the desktop '{0}' is no more", "ya no existe el grupo o el usuario del escritorio '{0}'"},
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
