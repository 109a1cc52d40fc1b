/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key store signs; csr.c writes. */
#include "agent/windows/request.h"

#include <stdlib.h>
#include <string.h>

#include "agent/windows/csr.h"
#include "agent/windows/pem.h"

struct parts {
	struct pst_buf key, info, signature, der, pem;
};

static int parts_make(const struct key_type *type, uintptr_t handle, const char *name, struct parts *p, struct pst_err *err)
{
	static const char no_memory[] = "no memory for a certificate request";

	if (type->public_half(handle, &p->key, err) < 0)
		return err->code;
	csr_info(&p->info, name, p->key.data, p->key.len);
	if (p->info.failed)
		return pst_err_set(err, PST_ENOMEM, no_memory);
	if (type->sign(handle, p->info.data, p->info.len, &p->signature, err) < 0)
		return err->code;
	csr_whole(&p->der, &p->info, type->algorithm, type->algorithm_len, p->signature.data, p->signature.len);
	if (p->der.failed || pem_write(&p->pem, "CERTIFICATE REQUEST", p->der.data, p->der.len) < 0)
		return pst_err_set(err, PST_ENOMEM, no_memory);
	return 0;
}

int request_make(const struct key_type *type, uintptr_t handle, const char *name, char **ret_pem, struct pst_err *err)
{
	struct parts p;
	struct pst_buf *const all[] = { &p.key, &p.info, &p.signature, &p.der, &p.pem };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pst_buf_init(all[i], 4 * CSR_MAX);
	int rc = parts_make(type, handle, name, &p, err);
	*ret_pem = rc == 0 ? strdup((const char *)p.pem.data) : NULL;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		pst_buf_finish(all[i]);
	if (rc < 0)
		return rc;
	return *ret_pem ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for a certificate request");
}
