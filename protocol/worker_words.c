/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spanish for reasons that reach the worker in English only. */
#include <string.h>

#include "base/mem.h"
#include "protocol/worker_priv.h"

/* Sentences of agents and libraries of ours, matched by their beginning. */
static const struct {
	const char *en, *es;
} sentences[] = {
	{ "moved to another client", "La sesión se ha movido a otro cliente." },
	{ "the desktop's agent went away", "El agente del escritorio ha terminado. Vuelva a conectar en un momento." },
	{ "the desktop's agent did not answer", "El agente del escritorio no ha respondido a tiempo." },
	{ "the desktop is in use", "Otra persona está usando el escritorio." },
	{ "The machine's screen cannot be shown: its server closed", "La pantalla de la máquina ha cerrado la conexión. ¿Se ha apagado o movido la máquina?" },
	{ "The machine's screen cannot be shown: its server sent no picture", "La pantalla de la máquina no ha dado imagen a tiempo. Ábrala de nuevo o compruebe si la máquina está en marcha." },
	{ "The machine's screen cannot be shown: it wants a password", "La pantalla de la máquina pide una contraseña y no hay ninguna configurada para esta máquina." },
	{ "The machine's screen cannot be shown: it does not take the password", "La pantalla de la máquina no acepta la contraseña configurada." },
	{ "The machine's screen cannot be shown: it refuses", "La pantalla de la máquina rechaza la conexión." },
	{ "The machine's screen cannot be shown: it offers neither", "La pantalla de la máquina exige su propio TLS o inicio de sesión: desactívelo en ella." },
	{ "The machine's screen cannot be shown", "No se puede mostrar la pantalla de la máquina." },
	{ "You are not entitled", "No tiene permiso para usar este escritorio." },
};

const char *words_spanish(int code, const char *reason_en)
{
	for (size_t i = 0; reason_en && i < PST_ARRAY_LEN(sentences); i++)
		if (!strncmp(reason_en, sentences[i].en, strlen(sentences[i].en)))
			return sentences[i].es;
	switch (code) {
	case PST_EAUTH:
		return "El usuario o la contraseña no son correctos.";
	case PST_EDENIED:
		return "No tiene permiso para ello.";
	case PST_EBUSY:
	case PST_ELIMIT:
		return "Ahora mismo no queda sitio. Inténtelo de nuevo en un momento.";
	case PST_ETIMEOUT:
		return "La respuesta ha tardado demasiado. Inténtelo de nuevo.";
	case PST_ECLOSED:
		return "La conexión con el escritorio se ha cerrado. Vuelva a conectar.";
	case PST_ENOTFOUND:
		return "No se ha encontrado el escritorio.";
	default:
		return "La conexión con el escritorio ha fallado. Vuelva a conectar; si persiste, avise al administrador.";
	}
}
