/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Filling sentences, and finding again what they were filled with: an error is one
 * English text on its way up, and becomes Spanish only where people read it.
 */
#include "broker/core/phrase.h"

#include <string.h>

#define ARGUMENT_MAX 1100

void phrase_fill(char *dst, size_t size, const char *fmt, const char *const arg[2])
{
	size_t len = 0;

	while (*fmt && len + 1 < size) {
		if (fmt[0] == '{' && (fmt[1] == '0' || fmt[1] == '1') && fmt[2] == '}') {
			const char *s = arg[fmt[1] - '0'] ? arg[fmt[1] - '0'] : "";
			size_t room = size - len - 1, n = strnlen(s, room);

			memcpy(dst + len, s, n);
			len += n;
			fmt += 3;
			continue;
		}
		dst[len++] = *fmt++;
	}
	/* A cut in the middle of a UTF-8 sequence is taken back to its start. */
	if (*fmt || len + 1 == size)
		while (len && ((unsigned char)dst[len - 1] & 0xc0) == 0x80)
			len--;
	if (len && (unsigned char)dst[len - 1] >= 0xc0)
		len--;
	dst[len] = '\0';
}

/* Where the words that follow a place are found in text; at its end when there are none. */
static const char *words_find(const char *text, const char *words, size_t len)
{
	if (!words[len]) { /* the last words end the text */
		size_t have = strlen(text);

		return have >= len && !memcmp(text + have - len, words, len) ? text + have - len : NULL;
	}
	for (; *text; text++)
		if (!strncmp(text, words, len))
			return text;
	return NULL;
}

/* Takes from text what stands at the place before "words". */
static const char *argument_take(const char *text, const char *words, char *arg)
{
	size_t len = strcspn(words, "{");
	const char *end = words_find(text, words, len);

	if (!end || (size_t)(end - text) >= ARGUMENT_MAX)
		return NULL;
	memcpy(arg, text, (size_t)(end - text));
	arg[end - text] = '\0';
	return end;
}

bool phrase_translate(const char *from, const char *to, const char *text, char *dst, size_t size)
{
	char args[2][ARGUMENT_MAX] = { "", "" };
	const char *const arg[2] = { args[0], args[1] };

	while (*from) {
		size_t len = strcspn(from, "{");

		if (strncmp(text, from, len) != 0)
			return false;
		text += len;
		from += len;
		if (!*from)
			break;
		text = argument_take(text, from + 3, args[from[1] == '1']);
		if (!text)
			return false;
		from += 3;
	}
	if (*text)
		return false;
	phrase_fill(dst, size, to, arg);
	return true;
}
