/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * puesto-pki: makes an installation's certificate authority and its server certificate.
 * Running it again keeps what is good and renews what is about to end.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/tls.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RENEW_LEFT_DAYS 30

struct options {
	const char *dir;
	const char *dns[PST_TLS_NAMES_MAX + 1];
	const char *ip[PST_TLS_NAMES_MAX + 1];
	size_t n_dns, n_ip;
};

struct paths {
	char ca_key[4096], ca_cert[4096], key[4096], cert[4096];
};

static const char usage[] =
	"Usage: puesto-pki init DIR --host NAME [--host NAME]... [--ip ADDRESS]...\n"
	"       puesto-pki fingerprint FILE.pem\n"
	"init makes DIR/ca.pem, server.pem, gateway.pem and broker.pem with their keys where\n"
	"they are missing, do not cover the names, or end within 30 days.\n";

static int take_name(struct options *o, const char *flag, const char *value, struct pst_err *err)
{
	bool is_ip = strcmp(flag, "--ip") == 0;

	if ((!is_ip && strcmp(flag, "--host") != 0) || !value || !*value)
		return pst_err_set(err, PST_EINVAL, "%.60s: unknown, or its value is missing", flag);
	if (o->n_dns + o->n_ip == PST_TLS_NAMES_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d names", PST_TLS_NAMES_MAX);

	if (is_ip)
		o->ip[o->n_ip++] = value;
	else
		o->dns[o->n_dns++] = value;
	return 0;
}

static int parse(int argc, char **argv, struct options *o, struct pst_err *err)
{
	if (argc < 3)
		return pst_err_set(err, PST_EINVAL, "a directory is needed");

	o->dir = argv[2];
	for (int i = 3; i < argc; i += 2) {
		int rc = take_name(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
		if (rc < 0)
			return rc;
	}
	if (o->n_dns + o->n_ip == 0)
		return pst_err_set(err, PST_EINVAL, "at least one --host or --ip is needed");
	return 0;
}

static int path_of(char out[4096], const char *dir, const char *name, struct pst_err *err)
{
	int n = snprintf(out, 4096, "%s/%s", dir, name);

	return n < 0 || n >= 4096 ? pst_err_set(err, PST_EINVAL, "%.100s...: too long", dir) : 0;
}

static int paths_fill(struct paths *p, const char *dir, struct pst_err *err)
{
	int rc = path_of(p->ca_key, dir, "ca.key", err);

	if (rc == 0)
		rc = path_of(p->ca_cert, dir, "ca.pem", err);
	if (rc == 0)
		rc = path_of(p->key, dir, "server.key", err);
	if (rc == 0)
		rc = path_of(p->cert, dir, "server.pem", err);
	return rc;
}

/* Half a CA is not repaired by making another one: every agent would lose its trust. */
static int ca_ready(const struct paths *p, int64_t now, struct pst_tls_pair *ret_ca,
	struct pst_err *err)
{
	bool has_key = access(p->ca_key, F_OK) == 0, has_cert = access(p->ca_cert, F_OK) == 0;

	if (has_key && has_cert)
		return pst_tls_pair_load(ret_ca, p->ca_key, p->ca_cert, err);
	if (has_key != has_cert)
		return pst_err_set(err, PST_ECONFLICT, "%s: missing, while its other half is there; restore "
			"it from a backup, or remove both for a new authority", has_key ? p->ca_cert : p->ca_key);

	int rc = pst_tls_ca_make("Puesto internal CA", now, ret_ca, err);
	if (rc < 0)
		return rc;
	rc = pst_tls_pair_save(ret_ca, p->ca_key, p->ca_cert, err);
	if (rc == 0)
		printf("made %s\n", p->ca_cert);
	return rc;
}

static int cert_ready(const struct paths *p, const struct pst_tls_request *request, const struct pst_tls_pair *ca, struct pst_err *err)
{
	struct pst_tls_pair pair = { 0 };

	if (pst_tls_pair_load(&pair, p->key, p->cert, NULL) == 0) {
		bool fits = pst_tls_cert_fits(pair.cert_pem, ca->cert_pem, request, RENEW_LEFT_DAYS);

		pst_tls_pair_finish(&pair);
		if (fits) {
			printf("kept %s\n", p->cert);
			return 0;
		}
	}

	int rc = pst_tls_issue(ca, request, &pair, err);
	if (rc < 0)
		return rc;
	rc = pst_tls_pair_save(&pair, p->key, p->cert, err);
	if (rc == 0)
		printf("made %s\n", p->cert);
	pst_tls_pair_finish(&pair);
	return rc;
}

static int server_ready(const struct paths *p, const struct options *o,
	const struct pst_tls_pair *ca, int64_t now, struct pst_err *err)
{
	struct pst_tls_request request = { .use = PST_TLS_SERVER, .dns = o->dns, .ip = o->ip,
		.common_name = o->n_dns ? o->dns[0] : o->ip[0], .days = PST_TLS_SERVER_DAYS, .now_ms = now };

	return cert_ready(p, &request, ca, err);
}

/* What gateways and the broker show to agents on other hosts, and to nobody else. */
static int inner_ready(const char *dir, const char *name, const char *uri, enum pst_tls_use use, const struct pst_tls_pair *ca, int64_t now,
	struct pst_err *err)
{
	struct pst_tls_request request = { .use = use, .common_name = name, .uri = uri, .days = PST_TLS_SERVER_DAYS, .now_ms = now };
	struct paths p;
	char file[64];
	int rc;

	snprintf(file, sizeof(file), "%s.key", name);
	rc = path_of(p.key, dir, file, err);
	snprintf(file, sizeof(file), "%s.pem", name);
	if (rc == 0)
		rc = path_of(p.cert, dir, file, err);
	return rc < 0 ? rc : cert_ready(&p, &request, ca, err);
}

static int init(int argc, char **argv, struct pst_err *err)
{
	struct options o = { 0 };
	struct pst_tls_pair ca = { 0 };
	struct paths p;
	int64_t now = pst_wall_ms();
	int rc = parse(argc, argv, &o, err);

	if (rc == 0)
		rc = paths_fill(&p, o.dir, err);
	if (rc == 0)
		rc = pst_mkdirs(o.dir, 0755, err);
	if (rc == 0)
		rc = ca_ready(&p, now, &ca, err);
	if (rc == 0)
		rc = server_ready(&p, &o, &ca, now, err);
	if (rc == 0)
		rc = inner_ready(o.dir, "gateway", "puesto:gateway:main", PST_TLS_CLIENT, &ca, now, err);
	if (rc == 0)
		rc = inner_ready(o.dir, "broker", "puesto:broker", PST_TLS_SERVER, &ca, now, err);
	pst_tls_pair_finish(&ca);
	return rc;
}

static int fingerprint(int argc, char **argv, struct pst_err *err)
{
	char text[PST_TLS_FINGERPRINT_SIZE];
	struct pst_tls_pair pair = { 0 };

	if (argc != 3)
		return pst_err_set(err, PST_EINVAL, "one file is needed");
	int rc = pst_tls_pair_load(&pair, NULL, argv[2], err);
	if (rc == 0)
		rc = pst_tls_fingerprint(pair.cert_pem, text, err);
	if (rc == 0)
		puts(text);
	pst_tls_pair_finish(&pair);
	return rc;
}

int main(int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	const char *verb = argc > 1 ? argv[1] : "";
	int rc;

	if (strcmp(verb, "--help") == 0 || strcmp(verb, "--version") == 0) {
		fputs(verb[2] == 'h' ? usage : "puesto-pki " PACKAGE_VERSION "\n", stdout);
		return 0;
	}
	if (strcmp(verb, "init") == 0)
		rc = init(argc, argv, &err);
	else if (strcmp(verb, "fingerprint") == 0)
		rc = fingerprint(argc, argv, &err);
	else
		rc = pst_err_set(&err, PST_EINVAL, "what shall I do?\n%s", usage);
	if (rc < 0)
		fprintf(stderr, "puesto-pki: %s\n", err.text);
	return rc < 0 ? 1 : 0;
}
