/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ca.pem; tls.pem: a line with the type and the container of the key, never the key, and the certificate. One file: they are of each other, or not there. */
#include "agent/windows/identity.h"

#include <windows.h>

#include <wincrypt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/cert.h"
#include "agent/windows/request.h"
#include "agent/windows/wide.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define DAY_MS INT64_C(86400000)
#define PEM_MAX (64u << 10)
#define RANDOM_BYTES 12

struct container {
	const struct key_type *type;
	wchar_t name[KEY_CONTAINER_SIZE]; /* L"" for none */
};

struct identity {
	const struct disk *disk;
	const struct key_type *type; /* of new keys */
	const void *ca, *cert;
	struct container own, pending;
};

static void container_remove(struct container *c)
{
	if (c->name[0])
		c->type->remove(c->name);
	c->name[0] = L'\0';
}

/* ---- certificate and key together -------------------------------------------------- */

/* Schannel finds the key by what the certificate says of it. */
static int key_bind(const void *cert, struct container *c, struct pst_err *err)
{
	CRYPT_KEY_PROV_INFO info = { .pwszContainerName = c->name,
		.pwszProvName = (wchar_t *)(uintptr_t)c->type->provider,
		.dwProvType = c->type->provider_type,
		.dwKeySpec = c->type->spec };

	if (CertSetCertificateContextProperty(cert, CERT_KEY_PROV_INFO_PROP_ID, 0, &info))
		return 0;
	return wide_err(err, PST_EIO, GetLastError(), "the certificate's key");
}

/* Returns owned, NULL with err. */
static const void *cert_bound(const char *pem, struct container *c, struct pst_err *err)
{
	const void *cert = cert_from_pem(pem, err);

	if (cert && key_bind(cert, c, err) < 0) {
		cert_free(cert);
		cert = NULL;
	}
	return cert;
}

static int container_read(const char *text, struct container *c, struct pst_err *err)
{
	char type[16], name[KEY_CONTAINER_SIZE];
	bool is_read = sscanf(text, "%15s %63s", type, name) == 2;

	c->type = is_read ? key_type_find(type) : NULL;
	wchar_t *w = c->type ? wide_from(name) : NULL;
	if (!w)
		return pst_err_set(err, PST_EINVAL, "tls.pem names no key");
	wcsncpy(c->name, w, KEY_CONTAINER_SIZE - 1);
	free(w);
	return 0;
}

static int pair_save(const struct identity *id, const char *pem, const struct container *c, struct pst_err *err)
{
	char name[KEY_CONTAINER_SIZE];
	struct pst_buf b;

	pst_buf_init(&b, PEM_MAX);
	pst_buf_printf(&b, "%s %s\n", c->type->name, wide_to(c->name, name, sizeof(name)));
	pst_buf_put_str(&b, pem);
	int rc = b.failed ? pst_err_set(err, PST_ELIMIT, "the certificate is too long") : disk_write(id->disk, "tls.pem", (const char *)b.data, b.len, err);
	pst_buf_finish(&b);
	return rc;
}

/* ---- asking ----------------------------------------------------------------------------- */

static void container_name(struct container *c, const struct key_type *type)
{
	uint8_t random[RANDOM_BYTES];
	char hex[PST_HEX_LEN(RANDOM_BYTES) + 1];

	pst_random(random, sizeof(random));
	pst_hex_encode(random, sizeof(random), hex, sizeof(hex));
	c->type = type;
	_snwprintf(c->name, KEY_CONTAINER_SIZE, L"puesto-%hs", hex);
	c->name[KEY_CONTAINER_SIZE - 1] = L'\0';
}

/* What was asked for and not answered is asked for again with the same key. */
static int pending_open(struct identity *id, uintptr_t *ret_handle, struct pst_err *err)
{
	struct pst_err none = PST_ERR_INIT;
	int rc;

	if (id->pending.name[0] && id->type->open(id->pending.name, ret_handle, &none) == 0)
		return 0;
	container_name(&id->pending, id->type);
	rc = id->type->make(id->pending.name, ret_handle, err);
	if (rc < 0)
		id->pending.name[0] = L'\0';
	return rc;
}

int identity_prepare(struct identity *id, struct pst_err *err)
{
	uintptr_t handle;

	if (pending_open(id, &handle, err) < 0)
		return err->code;
	id->type->close(handle);
	return 0;
}

int identity_request(struct identity *id, const char *desktop, char **ret_csr, struct pst_err *err)
{
	uintptr_t handle;

	if (pending_open(id, &handle, err) < 0)
		return err->code;
	int rc = request_make(id->type, handle, desktop, ret_csr, err);
	id->type->close(handle);
	if (rc < 0)
		container_remove(&id->pending);
	return rc;
}

int identity_take(struct identity *id, const char *cert_pem, struct pst_err *err)
{
	struct container before = id->own;

	if (!id->pending.name[0])
		return pst_err_set(err, PST_EPROTO, "a certificate came that nobody asked for");
	const void *cert = cert_bound(cert_pem, &id->pending, err);
	if (!cert || pair_save(id, cert_pem, &id->pending, err) < 0) {
		cert_free(cert);
		container_remove(&id->pending);
		return err->code;
	}
	cert_free(id->cert);
	id->cert = cert;
	id->own = id->pending;
	id->pending.name[0] = L'\0';
	container_remove(&before);
	return 0;
}

/* ---- life ---------------------------------------------------------------------------- */

static const void *cert_load(const struct identity *id, const char *name, char **ret_pem, struct pst_err *err)
{
	const void *cert = NULL;
	size_t len;

	if (disk_read(id->disk, name, PEM_MAX, ret_pem, &len, err) == 0)
		cert = cert_from_pem(*ret_pem, err);
	return cert;
}

struct identity *identity_open(const struct disk *disk, const struct key_type *type, struct pst_err *err)
{
	struct identity *id = pst_zalloc(1, sizeof(*id));
	struct pst_err why = PST_ERR_INIT;
	char *pem = NULL;
	size_t len;

	if (!id) {
		pst_err_set(err, PST_ENOMEM, "no memory for the agent's identity");
		return NULL;
	}
	id->disk = disk;
	id->type = type;
	id->ca = cert_load(id, "ca.pem", &pem, err);
	free(pem);
	pem = NULL;
	if (!id->ca) {
		identity_close(id);
		return NULL;
	}
	if (disk_read(disk, "tls.pem", PEM_MAX, &pem, &len, &why) == 0 && container_read(pem, &id->own, &why) == 0)
		id->cert = cert_bound(pem, &id->own, &why);
	if (!id->cert)
		id->own.name[0] = L'\0';
	free(pem);
	return id;
}

void identity_forget(const struct disk *disk)
{
	struct container c = { .type = NULL };
	struct pst_err none = PST_ERR_INIT;
	char *text = NULL;
	size_t len;

	if (disk_read(disk, "tls.pem", PEM_MAX, &text, &len, &none) == 0 && container_read(text, &c, &none) == 0)
		container_remove(&c);
	free(text);
}

void identity_close(struct identity *id)
{
	if (!id)
		return;
	container_remove(&id->pending);
	cert_free(id->ca);
	cert_free(id->cert);
	free(id);
}

const void *identity_ca(const struct identity *id)
{
	return id->ca;
}

const void *identity_cert(const struct identity *id)
{
	return id->cert;
}

bool identity_is_due(const struct identity *id, int64_t now_ms)
{
	return id->cert && now_ms > cert_ends_ms(id->cert) - IDENTITY_RENEW_DAYS * DAY_MS;
}
