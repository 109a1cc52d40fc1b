/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key, certificate and authority of an agent. */
#include "agent/identity.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define DAY_MS INT64_C(86400000)

struct identity {
	char key_path[PATH_MAX], cert_path[PATH_MAX];
	char *ca_pem;
	char *new_key; /* of a request that is under way */
	struct pst_tls_trust *trust;
	int64_t ends_ms; /* 0: no certificate */
};

/* The trust of this pair, or of nobody (NULL). What stands stays when the pair is of no use. */
static int use(struct identity *id, const struct pst_tls_pair *pair, struct pst_err *err)
{
	int64_t ends = 0;
	struct pst_tls_trust *trust;

	if (pair && pst_tls_cert_ends(pair->cert_pem, &ends, err) < 0)
		return err->code;
	trust = pst_tls_trust_create(id->ca_pem, pair, err);
	if (!trust)
		return err->code;
	pst_tls_trust_unref(id->trust);
	id->trust = trust;
	id->ends_ms = ends;
	return 0;
}

struct identity *identity_open(const char *run, const char *ca_path, struct pst_err *err)
{
	struct identity *id = pst_zalloc(1, sizeof(*id));
	struct pst_tls_pair pair = { 0 };
	struct pst_err why = PST_ERR_INIT;
	size_t len;

	if (!id) {
		pst_err_set(err, PST_ENOMEM, "no memory for the agent's identity");
		return NULL;
	}
	snprintf(id->key_path, sizeof(id->key_path), "%s/tls.key", run);
	snprintf(id->cert_path, sizeof(id->cert_path), "%s/tls.pem", run);
	if (pst_file_read(ca_path, PST_TLS_PEM_MAX, &id->ca_pem, &len, err) < 0)
		goto fail;
	bool has_pair = pst_tls_pair_load(&pair, id->key_path, id->cert_path, &why) == 0;
	if (has_pair && use(id, &pair, &why) < 0)
		pst_warn("%s: %s", id->cert_path, why.text);
	pst_tls_pair_finish(&pair);
	if (!id->trust && use(id, NULL, err) < 0)
		goto fail;
	return id;
fail:
	identity_close(id);
	return NULL;
}

static void forget_key(struct identity *id)
{
	if (id->new_key)
		pst_wipe(id->new_key, strlen(id->new_key));
	free(id->new_key);
	id->new_key = NULL;
}

void identity_close(struct identity *id)
{
	if (!id)
		return;

	forget_key(id);
	free(id->ca_pem);
	pst_tls_trust_unref(id->trust);
	free(id);
}

struct pst_tls_trust *identity_trust(struct identity *id)
{
	return id->trust;
}

bool identity_has_cert(const struct identity *id)
{
	return id->ends_ms != 0;
}

bool identity_is_due(const struct identity *id, int64_t now_ms)
{
	return id->ends_ms != 0 && now_ms > id->ends_ms - IDENTITY_RENEW_DAYS * DAY_MS;
}

int identity_request(struct identity *id, const char *desktop, char **ret_csr, struct pst_err *err)
{
	forget_key(id);
	return pst_tls_csr_make(desktop, &id->new_key, ret_csr, err);
}

int identity_take(struct identity *id, const char *cert_pem, struct pst_err *err)
{
	const struct pst_tls_pair pair = { id->new_key, (char *)(uintptr_t)cert_pem };
	int rc;

	if (!id->new_key)
		return pst_err_set(err, PST_EPROTO, "a certificate came that nobody asked for");
	rc = use(id, &pair, err);
	if (rc == 0)
		rc = pst_tls_pair_save(&pair, id->key_path, id->cert_path, err);
	forget_key(id);
	return rc;
}
