/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sentences with the places {0} and {1}, in two languages. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Puts the arguments (NULL reads as "") in their places; cuts between characters when dst is full. */
void phrase_fill(char *dst, size_t size, const char *fmt, const char *const arg[2]);
/* When text is what "from" made, dst gets what "to" would have made of the same arguments. The places
 * of "from" stand in order; an argument ends where the words after its place come first. */
bool phrase_translate(const char *from, const char *to, const char *text, char *dst, size_t size);
