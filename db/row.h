/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sizes that the rows share. Words of enums stay text on this floor.
 */
#pragma once

#include <stdint.h>

#define DB_ID_SIZE 37     /* a uuid and its end */
#define DB_WORD_SIZE 65
#define DB_NAME_SIZE 129
#define DB_TEXT_SIZE 320
#define DB_LONG_SIZE 1025 /* descriptions, paths */
#define DB_JSON_SIZE 4097

struct db_reason {
	char code[DB_WORD_SIZE];
	char en[DB_TEXT_SIZE], es[DB_TEXT_SIZE];
};

/* Names with commas between them, five at most of each; "" is none. */
struct db_users {
	char pools[5 * DB_WORD_SIZE + 10], desktops[5 * DB_NAME_SIZE + 10];
};
