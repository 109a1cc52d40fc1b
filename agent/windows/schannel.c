/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "Creating a Secure Connection Using Schannel": InitializeSecurityContext until it is done, then DecryptMessage and EncryptMessage. */
#include "agent/windows/schannel.h"

#include <windows.h>

#define SECURITY_WIN32
#define SCHANNEL_USE_BLACKLISTS
#include <subauth.h>

#include <schannel.h>
#include <security.h>

#include <stdlib.h>
#include <string.h>

#include "agent/windows/cert.h"
#include "agent/windows/wide.h"
#include "base/mem.h"

#define PLAIN_MAX 16384

#define WISHES (ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM | \
		ISC_REQ_EXTENDED_ERROR | ISC_REQ_MANUAL_CRED_VALIDATION | ISC_REQ_USE_SUPPLIED_CREDS)

#define OLD_PROTOCOLS (SP_PROT_SSL2 | SP_PROT_SSL3 | SP_PROT_TLS1_0 | SP_PROT_TLS1_1)

struct schannel {
	CredHandle credentials;
	CtxtHandle context;
	const void *ca;
	const char *peer;
	char fingerprint[PST_SHA256_HEX_SIZE];
	SecPkgContext_StreamSizes sizes;
	DWORD protocol;
	bool has_credentials, has_context, is_open;
};

/* ---- credentials ------------------------------------------------------------------- */

static SECURITY_STATUS acquire(struct schannel *s, void *wishes)
{
	return AcquireCredentialsHandleW(NULL, (wchar_t *)(uintptr_t)UNISP_NAME_W, SECPKG_CRED_OUTBOUND, NULL, wishes, NULL, NULL, &s->credentials, NULL);
}

/* The form of Windows 10 1809 and later, which knows TLS 1.3. */
static SECURITY_STATUS acquire_new(struct schannel *s, PCCERT_CONTEXT *cert, DWORD flags)
{
	TLS_PARAMETERS tls = { .grbitDisabledProtocols = OLD_PROTOCOLS };
	SCH_CREDENTIALS c = { .dwVersion = SCH_CREDENTIALS_VERSION,
		.cCreds = *cert ? 1 : 0,
		.paCred = *cert ? cert : NULL,
		.dwFlags = flags,
		.cTlsParameters = 1,
		.pTlsParameters = &tls };

	return acquire(s, &c);
}

static SECURITY_STATUS acquire_old(struct schannel *s, PCCERT_CONTEXT *cert, DWORD flags)
{
	SCHANNEL_CRED c = { .dwVersion = SCHANNEL_CRED_VERSION,
		.cCreds = *cert ? 1 : 0,
		.paCred = *cert ? cert : NULL,
		.grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT,
		.dwFlags = flags };

	return acquire(s, &c);
}

struct schannel *schannel_create(const void *ca, const void *cert, const char *peer, struct pst_err *err)
{
	static const DWORD flags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS | SCH_USE_STRONG_CRYPTO;
	struct schannel *s = pst_zalloc(1, sizeof(*s));
	PCCERT_CONTEXT own = cert;

	if (!s) {
		pst_err_set(err, PST_ENOMEM, "no memory for a TLS connection");
		return NULL;
	}
	s->ca = ca;
	s->peer = peer;
	SECURITY_STATUS rc = acquire_new(s, &own, flags);
	if (rc != SEC_E_OK)
		rc = acquire_old(s, &own, flags);
	if (rc == SEC_E_OK) {
		s->has_credentials = true;
		return s;
	}
	wide_err(err, PST_EIO, (DWORD)rc, "Windows' TLS cannot be used");
	schannel_destroy(s);
	return NULL;
}

void schannel_destroy(struct schannel *s)
{
	if (!s)
		return;
	if (s->has_context)
		DeleteSecurityContext(&s->context);
	if (s->has_credentials)
		FreeCredentialsHandle(&s->credentials);
	free(s);
}

/* ---- handshake --------------------------------------------------------------------- */

static int opened(struct schannel *s, struct pst_err *err)
{
	SecPkgContext_ConnectionInfo info = { 0 };
	PCCERT_CONTEXT theirs = NULL;
	SECURITY_STATUS rc = QueryContextAttributesW(&s->context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &theirs);

	if (rc != SEC_E_OK || !theirs)
		return wide_err(err, PST_EAUTH, (DWORD)rc, "there was no certificate");
	int checked = s->ca ? cert_check_server(theirs, s->ca, s->peer, err) : 0;
	if (checked == 0)
		pst_sha256_hex(theirs->pbCertEncoded, theirs->cbCertEncoded, s->fingerprint);
	CertFreeCertificateContext(theirs);
	if (checked < 0)
		return checked;
	rc = QueryContextAttributesW(&s->context, SECPKG_ATTR_STREAM_SIZES, &s->sizes);
	if (rc == SEC_E_OK)
		rc = QueryContextAttributesW(&s->context, SECPKG_ATTR_CONNECTION_INFO, &info);
	if (rc != SEC_E_OK)
		return wide_err(err, PST_EIO, (DWORD)rc, "Windows' TLS");
	if (!(info.dwProtocol & (SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT)))
		return pst_err_set(err, PST_EAUTH, "the broker's TLS is too old");
	s->protocol = info.dwProtocol;
	s->is_open = true;
	return 0;
}

/* What was not used of the input stands at its end. */
static void input_used(struct pst_buf *in, const SecBuffer *rest, bool is_incomplete)
{
	if (is_incomplete)
		return;
	pst_buf_consume(in, rest->BufferType == SECBUFFER_EXTRA ? in->len - rest->cbBuffer : in->len);
}

/* One call. Returns Windows' status; what it wants to send is added. */
static SECURITY_STATUS initialise(struct schannel *s, struct pst_buf *in, struct pst_buf *out)
{
	SecBuffer given[2] = { { (ULONG)in->len, SECBUFFER_TOKEN, in->data }, { 0, SECBUFFER_EMPTY, NULL } };
	SecBuffer made[1] = { { 0, SECBUFFER_TOKEN, NULL } };
	SecBufferDesc given_list = { SECBUFFER_VERSION, 2, given }, made_list = { SECBUFFER_VERSION, 1, made };
	ULONG attributes;
	SECURITY_STATUS rc = InitializeSecurityContextW(&s->credentials, s->has_context ? &s->context : NULL, NULL, WISHES, 0, 0,
		s->has_context ? &given_list : NULL, 0, &s->context, &made_list, &attributes, NULL);

	if (!s->has_context && (rc == SEC_E_OK || rc == SEC_I_CONTINUE_NEEDED))
		s->has_context = true;
	else if (s->has_context && rc != SEC_I_INCOMPLETE_CREDENTIALS)
		input_used(in, &given[1], rc == SEC_E_INCOMPLETE_MESSAGE);
	if (made[0].pvBuffer) {
		pst_buf_append(out, made[0].pvBuffer, made[0].cbBuffer);
		FreeContextBuffer(made[0].pvBuffer);
	}
	return rc;
}

static int handshake(struct schannel *s, struct pst_buf *in, struct pst_buf *out, struct pst_err *err)
{
	bool has_said_none = false;

	while (!s->is_open && (!s->has_context || in->len > 0)) {
		SECURITY_STATUS rc = initialise(s, in, out);

		if (rc == SEC_E_INCOMPLETE_MESSAGE)
			return 0;
		/* The broker asks for a certificate; asked again, Schannel goes on without one. */
		if (rc == SEC_I_INCOMPLETE_CREDENTIALS && !has_said_none) {
			has_said_none = true;
			continue;
		}
		if (rc != SEC_E_OK && rc != SEC_I_CONTINUE_NEEDED)
			return wide_err(err, PST_EAUTH, (DWORD)rc, "TLS");
		if (rc == SEC_E_OK && opened(s, err) < 0)
			return err->code;
	}
	return 0;
}

/* ---- records ----------------------------------------------------------------------- */

static const SecBuffer *buffer_of(const SecBuffer *list, size_t n, ULONG type)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].BufferType == type && list[i].cbBuffer > 0)
			return &list[i];
	return NULL;
}

/* In TLS 1.3 this is how tickets and new keys come; in 1.2 it would be a new handshake, which nobody here asks for. */
static int after_handshake(struct schannel *s, struct pst_buf *in, struct pst_buf *out, struct pst_err *err)
{
	if (!(s->protocol & SP_PROT_TLS1_3_CLIENT))
		return pst_err_set(err, PST_EPROTO, "the broker asks for a new handshake");
	SECURITY_STATUS rc = initialise(s, in, out);
	return rc == SEC_E_OK || rc == SEC_I_CONTINUE_NEEDED ? 0 : wide_err(err, PST_EPROTO, (DWORD)rc, "TLS");
}

/* 1: a record was read. 0: more bytes are needed. */
static int record_open(struct schannel *s, struct pst_buf *in, struct pst_buf *out, struct pst_buf *plain, struct pst_err *err)
{
	SecBuffer list[4] = { { (ULONG)in->len, SECBUFFER_DATA, in->data }, { 0, SECBUFFER_EMPTY, NULL }, { 0, SECBUFFER_EMPTY, NULL },
		{ 0, SECBUFFER_EMPTY, NULL } };
	SecBufferDesc desc = { SECBUFFER_VERSION, 4, list };
	SECURITY_STATUS rc = DecryptMessage(&s->context, &desc, 0, NULL);

	if (rc == SEC_E_INCOMPLETE_MESSAGE)
		return 0;
	if (rc == SEC_I_CONTEXT_EXPIRED)
		return pst_err_set(err, PST_ECLOSED, "the broker ended the connection");
	if (rc != SEC_E_OK && rc != SEC_I_RENEGOTIATE)
		return wide_err(err, PST_EPROTO, (DWORD)rc, "a record of TLS");
	const SecBuffer *data = buffer_of(list, 4, SECBUFFER_DATA), *extra = buffer_of(list, 4, SECBUFFER_EXTRA);
	if (data && pst_buf_append(plain, data->pvBuffer, data->cbBuffer) < 0)
		return pst_err_set(err, PST_ELIMIT, "the broker sends more than can be taken");
	pst_buf_consume(in, extra ? in->len - extra->cbBuffer : in->len);
	if (rc == SEC_I_RENEGOTIATE && after_handshake(s, in, out, err) < 0)
		return err->code;
	return 1;
}

int schannel_step(struct schannel *s, struct pst_buf *cipher_in, struct pst_buf *cipher_out, struct pst_buf *plain, struct pst_err *err)
{
	int rc = 1;

	if (!s->is_open && handshake(s, cipher_in, cipher_out, err) < 0)
		return err->code;
	while (s->is_open && cipher_in->len > 0 && rc == 1)
		rc = record_open(s, cipher_in, cipher_out, plain, err);
	if (cipher_out->failed)
		return pst_err_set(err, PST_ELIMIT, "the broker does not read");
	return rc < 0 ? rc : 0;
}

int schannel_seal(struct schannel *s, const void *data, size_t *len, struct pst_buf *cipher_out, struct pst_err *err)
{
	size_t n = PST_MIN(PST_MIN(*len, (size_t)s->sizes.cbMaximumMessage), (size_t)PLAIN_MAX);
	uint8_t *room = pst_buf_reserve(cipher_out, s->sizes.cbHeader + n + s->sizes.cbTrailer);

	if (!room)
		return pst_err_set(err, PST_ELIMIT, "the broker does not read");
	SecBuffer list[4] = { { s->sizes.cbHeader, SECBUFFER_STREAM_HEADER, room }, { (ULONG)n, SECBUFFER_DATA, room + s->sizes.cbHeader },
		{ s->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, room + s->sizes.cbHeader + n }, { 0, SECBUFFER_EMPTY, NULL } };
	SecBufferDesc desc = { SECBUFFER_VERSION, 4, list };

	memcpy(room + s->sizes.cbHeader, data, n);
	SECURITY_STATUS rc = EncryptMessage(&s->context, 0, &desc, 0);
	if (rc != SEC_E_OK)
		return wide_err(err, PST_EIO, (DWORD)rc, "a record of TLS");
	pst_buf_commit(cipher_out, (size_t)list[0].cbBuffer + list[1].cbBuffer + list[2].cbBuffer);
	*len = n;
	return 0;
}

int schannel_bye(struct schannel *s, struct pst_buf *cipher_out)
{
	DWORD type = SCHANNEL_SHUTDOWN;
	SecBuffer token = { sizeof(type), SECBUFFER_TOKEN, &type };
	SecBufferDesc desc = { SECBUFFER_VERSION, 1, &token };
	struct pst_buf none;

	if (ApplyControlToken(&s->context, &desc) != SEC_E_OK)
		return PST_EIO;
	pst_buf_init(&none, 0);
	initialise(s, &none, cipher_out);
	return 0;
}

bool schannel_is_open(const struct schannel *s)
{
	return s->is_open;
}

const char *schannel_fingerprint(const struct schannel *s)
{
	return s->is_open ? s->fingerprint : "";
}

const char *schannel_version(const struct schannel *s)
{
	if (!s->is_open)
		return "";
	return s->protocol & SP_PROT_TLS1_3_CLIENT ? "TLS 1.3" : "TLS 1.2";
}
