/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Refusals of datastores: a list with a clause for each, so their parts are exchanged and not the whole.
 */
#include "broker/core/foreign.h"

#include "base/mem.h"
#include "base/text.h"

#include <string.h>

static const struct {
	const char *en, *es;
} parts[] = {
	{ "no datastore takes new disks: ", "ningún almacén admite discos nuevos: " },
	{ "no datastore takes a new disk: ", "ningún almacén admite un disco nuevo: " },
	{ "; make room, or end the maintenance", "; libere espacio o termine el mantenimiento" },
	{ " is offline", " no responde" },
	{ " is under maintenance", " está en mantenimiento" },
	{ " is not for this pool", " no es para este grupo" },
	{ " does not have the image", " no tiene la imagen" },
	{ " is full", " está lleno" },
	{ " has no room", " no tiene sitio" },
	{ " has promised too much", " ha prometido demasiado" },
	{ " left)", " libres)" },
};

#define OPENINGS 2 /* of the parts: a sentence of ours begins with one of them, perhaps after whose it is */

static bool is_ours(const char *en)
{
	for (size_t i = 0; i < OPENINGS; i++) {
		if (strstr(en, parts[i].en))
			return true;
	}
	return false;
}

/* The part that stands at text, or NULL. */
static const char *part_at(const char *text, size_t *ret_len)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(parts); i++) {
		size_t len = strlen(parts[i].en);

		if (strncmp(text, parts[i].en, len) == 0) {
			*ret_len = len;
			return parts[i].es;
		}
	}
	return NULL;
}

bool foreign_spanish(const char *en, char *out, size_t size)
{
	size_t at = 0, len;

	if (!is_ours(en))
		return false;
	while (*en && at + 1 < size) {
		const char *es = part_at(en, &len);

		if (es && at + strlen(es) < size) {
			memcpy(out + at, es, strlen(es));
			at += strlen(es);
			en += len;
		} else {
			out[at++] = *en++;
		}
	}
	out[at] = '\0';
	return true;
}
