/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Problems: one row each; the code is the contract, the sentences are for people. */
#include "broker/api/problem.h"

#include "base/err.h"
#include "base/mem.h"
#include "broker/api/words.h"

#include <stdio.h>
#include <string.h>

static const struct problem table[] = {
	{"internal", 500, "Something failed inside the broker: try again, and look at its log.",
		"Algo ha fallado en el servidor: inténtelo otra vez y mire su registro."},
	{"bad_request", 400, "The request cannot be understood.", "No se entiende la petición."},
	{"bad_json", 400, "The body is not valid JSON.", "El cuerpo no es JSON válido."},
	{"bad_cursor", 400, "The cursor does not belong to this list: begin without it.",
		"El cursor no es de esta lista: empiece sin él."},
	{"bad_host", 400, "This host name is not one of the server's: use its configured name.",
		"Este nombre de servidor no es válido: use el nombre configurado."},
	{"login_needed", 401, "Log in first.", "Inicie sesión primero."},
	{"login_over", 401, "Your log-in is over: log in again.", "Su sesión ha terminado: vuelva a iniciarla."},
	{"login_failed", 401, "The user name or the password is not right.",
		"El usuario o la contraseña no son correctos."},
	{"denied", 403, "You may not do this.", "No tiene permiso para hacer esto."},
	{"csrf", 403, "The X-CSRF-Token header is missing or old: take the value from GET /me.",
		"Falta la cabecera X-CSRF-Token o es antigua: tome el valor de GET /me."},
	{"bad_origin", 403, "The request comes from another site.", "La petición viene de otro sitio web."},
	{"not_entitled", 403, "You may not use this pool: ask an administrator.",
		"No tiene acceso a este grupo de escritorios: pídalo a un administrador."},
	{"not_found", 404, "There is no such object.", "Ese objeto no existe."},
	{"no_route", 404, "There is no such address in the API: see /api/v1/openapi.json.",
		"Esa dirección no existe en la API: vea /api/v1/openapi.json."},
	{"method", 405, "This address does not take that method.", "Esta dirección no admite ese método."},
	{"conflict", 409, "The object does not allow this now.", "El objeto no lo permite en este momento."},
	{"exists", 409, "There is one with this name already: choose another name.",
		"Ya existe uno con ese nombre: elija otro."},
	{"in_use", 409, "Something still uses it: remove that first.", "Todavía está en uso: quite antes lo que lo usa."},
	{"last_admin", 409, "This is the last administrator: make another one first.",
		"Es el último administrador: cree antes otro."},
	{"key_reused", 409, "This Idempotency-Key was used for another request: choose a new one.",
		"Esa Idempotency-Key ya se usó para otra petición: elija otra."},
	{"changed", 412, "Somebody changed it meanwhile: read it again.", "Otra persona lo ha cambiado: léalo de nuevo."},
	{"watching_off", 403, "Sessions of this pool may not be watched: its setting \"watching\" is off.",
		"Las sesiones de este grupo no se pueden ver: su ajuste «watching» está desactivado."},
	{"snapshots_off", 403, "Users of this pool may not keep snapshots: ask an administrator.",
		"Los usuarios de este grupo no pueden guardar instantáneas: consulte a un administrador."},
	{"limit", 409, "There are as many as there may be: remove one first.", "No se permiten más: elimine antes alguno."},
	{"not_carried", 409, "The desktop's provider does not carry this.", "El proveedor del escritorio no lo permite."},
	{"not_watchable", 409, "The person at this desktop cannot be told that somebody watches: only sessions in the browser can be watched.",
		"A la persona de este escritorio no se le puede avisar de que alguien mira: solo se pueden ver las sesiones en el navegador."},
	{"no_session", 409, "There is no session in a browser to join: open the desktop first.",
		"No hay ninguna sesión en un navegador a la que unirse: abra antes el escritorio."},
	{"too_large", 413, "The body is too large.", "El cuerpo es demasiado grande."},
	{"media_type", 415, "Send the body as application/json.", "Envíe el cuerpo como application/json."},
	{"invalid_field", 422, "A field is not right.", "Un campo no es correcto."},
	{"no_pool", 403, "No pool is open to you: ask an administrator.",
		"No tiene ningún grupo de escritorios: pídalo a un administrador."},
	{"wait", 429, "Too many failed log-ins: wait before the next one.",
		"Demasiados intentos fallidos: espere antes del siguiente."},
	{"blocked", 403, "Too many failed log-ins: this account is blocked until an administrator unlocks it.",
		"Demasiados intentos fallidos: la cuenta está bloqueada hasta que la desbloquee un administrador."},
	{"busy", 429, "Too many log-ins at the same time: try again in a moment.",
		"Demasiados inicios de sesión a la vez: inténtelo en un momento."},
	{"too_many", 429, "Too many of these at the same time: close some first.",
		"Demasiados a la vez: cierre alguno antes."},
	{"bad_ticket", 401, "The ticket is unknown, used or over: open the desktop again.",
		"El pase no existe, ya se ha usado o ha caducado: abra el escritorio de nuevo."},
	{"timeout", 504, "The desktop was not ready in time: try again, or ask an administrator why.",
		"El escritorio no ha estado listo a tiempo: inténtelo otra vez o pregunte a un administrador."},
	{"unavailable", 503, "This cannot be done now: try again in a moment.",
		"No se puede hacer ahora: inténtelo en un momento."},
	{"storage", 507, "The database cannot be written: free some space on its disk.",
		"No se puede escribir en la base de datos: libere espacio en su disco."},
};

const struct problem *problem_find(const char *code)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(table); i++) {
		if (strcmp(table[i].code, code) == 0)
			return &table[i];
	}
	return &table[0];
}

static void set_detail(json_t *body, const char *detail, const char *field)
{
	char es[DETAIL_MAX];

	json_object_set_new(body, "detail", json_string(detail));
	if (words_spanish(detail, field, es, sizeof(es)))
		json_object_set_new(body, "detail_es", json_string(es));
}

json_t *problem_body(const struct problem *p, const char *detail, const char *field, const char *instance,
	int retry_after)
{
	char type[96];

	snprintf(type, sizeof(type), "urn:puesto:problem:%s", p->code);
	json_t *body = json_pack("{s:s, s:s, s:s, s:i, s:s}", "type", type, "title", p->en, "title_es", p->es,
		"status", p->status, "code", p->code);
	if (!body)
		return NULL;
	if (detail && *detail)
		set_detail(body, detail, field);
	if (field)
		json_object_set_new(body, "field", json_string(field));
	if (instance)
		json_object_set_new(body, "instance", json_string(instance));
	if (retry_after > 0)
		json_object_set_new(body, "retry_after", json_integer(retry_after));
	return body;
}

const char *problem_code_of(int pst_code)
{
	switch (pst_code) {
	case PST_EINVAL:
	case PST_ELIMIT:
		return "invalid_field";
	case PST_EAUTH:
		return "login_needed";
	case PST_EDENIED:
		return "denied";
	case PST_ENOTFOUND:
		return "not_found";
	case PST_ECONFLICT:
		return "conflict";
	case PST_EBUSY:
	case PST_EAGAIN:
	case PST_ECLOSED:
		return "unavailable";
	case PST_EUNSUPPORTED:
		return "not_carried";
	case PST_ETIMEOUT:
		return "timeout";
	case PST_EIO:
	case PST_ENOSPC:
		return "storage";
	default:
		return "internal";
	}
}
