/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers over HTTP against a double, which an integration test has started and names in the environment. */
#pragma once

/*
 * Runs the contract with the settings of PUESTO_DOUBLE (lines of the provider's section), skipping without it;
 * machines are ended from outside by POST PUESTO_DOUBLE_URL/double/die/DESKTOP, trusting PUESTO_DOUBLE_CA.
 */
void rest_double_contract(const char *kind, const char *image);

/* base with a token file, then more (a key of both is more's): the driver does not open, and says that word. */
void rest_double_refuses(const char *kind, const char *base, const char *more, const char *word);
