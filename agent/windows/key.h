/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kinds of private keys of this machine, made where they are used and not exportable: a table, because what carries an EC key on Windows is not carried by Wine.
 * A key lives in a container by name until it is removed.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

#define KEY_CONTAINER_SIZE 64

struct key_type {
	const char *name;
	const wchar_t *provider; /* as a certificate names it (CRYPT_KEY_PROV_INFO) */
	unsigned long provider_type, spec;
	uint8_t algorithm[16]; /* AlgorithmIdentifier of its signatures (SHA-256), DER */
	size_t algorithm_len;
	int (*make)(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err);
	/* Append to out: the SubjectPublicKeyInfo; a signature of data as a request has it. */
	int (*public_half)(uintptr_t handle, struct pst_buf *out, struct pst_err *err);
	int (*sign)(uintptr_t handle, const void *data, size_t len, struct pst_buf *out, struct pst_err *err);
	void (*close)(uintptr_t handle);
	/* 0, or it is not there. */
	int (*open)(const wchar_t *container, uintptr_t *ret_handle, struct pst_err *err);
	void (*remove)(const wchar_t *container);
};

/* ECDSA P-256 in Windows' software key store. */
extern const struct key_type key_cng;
/* RSA of 3072 bits in the older provider: for machines whose Schannel takes no EC keys of ours, and for Wine. */
extern const struct key_type key_csp;

/* NULL: there is none of that name. */
const struct key_type *key_type_find(const char *name);
