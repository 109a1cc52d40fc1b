/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Passwords: argon2id as a PHC string, 19 MiB, two passes, one lane (OWASP's figures).
 * Both calls take about 30 ms of a core: never on the loop, see auth/hasher.h.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_MIN_CHARS 8
#define PASSWORD_MAX_BYTES 256
#define PASSWORD_PHC_SIZE 128 /* with its terminating zero */

/* PST_EINVAL with a sentence for people: length, valid UTF-8, no control characters. */
int password_check(const char *password, struct pst_err *err);

/* A fresh random salt each time. 0, PST_ENOMEM or PST_ELIMIT. */
int password_hash(const char *password, char out[PASSWORD_PHC_SIZE]);

/*
 * phc NULL is a user who does not exist or has no password: the same work is done and the
 * answer is false. ret_rehash (may be NULL) says that phc was made with other costs.
 */
bool password_verify(const char *phc, const char *password, bool *ret_rehash);
