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
	{ "The machine's screen cannot be shown: its hypervisor closed", "La pantalla de la máquina ha cerrado la conexión. ¿Se ha apagado o movido la máquina?" },
	{ "The machine's screen cannot be shown: its hypervisor sent no picture", "La pantalla de la máquina no ha dado imagen a tiempo. Ábrala de nuevo o compruebe si la máquina está en marcha." },
	{ "The machine's screen cannot be shown: somebody else has opened", "Otra persona ha abierto esta consola, o el hipervisor ya no la muestra." },
	{ "The machine's screen cannot be shown: it wants a password", "La pantalla de la máquina pide una contraseña y no hay ninguna configurada para esta máquina." },
	{ "The machine's screen cannot be shown: it does not take the password", "La pantalla de la máquina no acepta la contraseña configurada." },
	{ "The machine's screen cannot be shown: it refuses", "La pantalla de la máquina rechaza la conexión." },
	{ "The machine's screen cannot be shown: it offers neither", "La pantalla de la máquina exige su propio TLS o inicio de sesión: desactívelo en ella." },
	{ "The machine's screen cannot be shown: its RDP server closed the connection; was", "El servidor RDP de la máquina ha cerrado la conexión. ¿Se ha apagado o reiniciado la máquina?" },
	{ "The machine's screen cannot be shown: its RDP server sent no picture", "El servidor RDP de la máquina no ha dado imagen a tiempo. Inténtelo de nuevo." },
	{ "The machine's screen cannot be shown: its RDP server takes nothing", "El servidor RDP de la máquina ya no responde. ¿Se ha apagado la máquina?" },
	{ "The machine's screen cannot be shown: its RDP server", "El servidor RDP de la máquina ha cortado la conexión antes de dar imagen; avise al administrador." },
	{ "The machine's screen cannot be shown: its certificate is not the one", "Su certificado no es el que se anotó para esta máquina: si se ha vuelto a instalar, el administrador debe anotar el nuevo." },
	{ "The machine's screen cannot be shown: its certificate", "El certificado de la máquina no es válido para ella; avise al administrador." },
	{ "The machine's screen cannot be shown: it does not take the user", "La máquina no acepta el usuario o la contraseña que tiene anotados; avise al administrador." },
	{ "The machine's screen cannot be shown: the account", "La cuenta anotada para la máquina no puede entrar en ella por RDP; avise al administrador." },
	{ "The machine's screen cannot be shown: it wants another log-in", "La máquina exige otro inicio de sesión o cifrado que el configurado; avise al administrador." },
	{ "The machine's screen cannot be shown: somebody else", "Otra persona se ha conectado a la máquina, o está sentada ante ella." },
	{ "The machine's screen cannot be shown: the machine has no licence", "La máquina no tiene licencias libres de escritorio remoto; avise al administrador." },
	{ "the process that shows the machine", "El proceso que muestra la pantalla de la máquina ha terminado. Vuelva a conectar." },
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
