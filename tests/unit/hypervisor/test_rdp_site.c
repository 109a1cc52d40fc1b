/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts of machines that speak RDP: whose line, by what certificate, and files that others can read. */
#include "broker/hypervisor/rdp_site.h"

#include "base/conf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct rdp_site site(const char *lines)
{
	struct pst_conf *conf = pst_conf_create();
	struct driver_params p = { .conf = conf, .section = "provider-x" };
	struct pst_err err = PST_ERR_INIT;
	char text[512];
	struct rdp_site s;

	snprintf(text, sizeof(text), "[provider-x]\n%s", lines);
	cr_assert_eq(pst_conf_parse(conf, "test", text, strlen(text), &err), 0, "%s", err.text);
	cr_assert_eq(rdp_site_read(&s, &p, &err), 0, "%s", err.text);
	pst_conf_destroy(conf);
	return s;
}

static void accounts(char path[32], const char *text, mode_t mode)
{
	int fd;

	pst_strlcpy(path, 32, "/tmp/puesto-accounts-XXXXXX");
	fd = mkstemp(path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

Test(rdp_site, a_machine_has_its_own_line_or_that_of_any)
{
	struct rdp_site s = site("rdp_login = fixed\nrdp_fingerprint = " PIN "\n");
	static const struct {
		const char *name, *user, *domain, *password;
	} cases[] = {
		{ "lab-01", "ana", "LAB", "two words " },
		{ "lab-02", "guest", "", "x" },
	};
	struct pst_err err = PST_ERR_INIT;

	accounts(s.accounts, "# ours\n* guest x\r\nlab-01\tLAB\\ana   two words \n", 0600);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct rdp_machine m = { .name = cases[i].name, .layout = "es" };
		json_t *o = rdp_site_account(&s, &m, &err);

		cr_assert_not_null(o, "%s", err.text);
		cr_expect_str_eq(pst_json_str(o, "user", 100), cases[i].user);
		cr_expect_str_eq(pst_json_str(o, "domain", 100), cases[i].domain);
		cr_expect_str_eq(pst_json_str(o, "password", 100), cases[i].password);
		cr_expect_str_eq(pst_json_str(o, "fingerprint", 100), PIN);
		cr_expect_str_eq(pst_json_str(o, "login", 100), "fixed");
		json_decref(o);
	}
	unlink(s.accounts);
}

Test(rdp_site, its_own_words_go_before_the_provider_s)
{
	struct rdp_site s = site("rdp_login = fixed\nrdp_ca = /nonexistent/ca\n");
	struct rdp_machine m = { .name = "lab-01", .login = "ask", .pin = PIN };
	struct pst_err err = PST_ERR_INIT;
	json_t *o = rdp_site_account(&s, &m, &err);

	cr_assert_not_null(o, "%s", err.text);
	cr_expect_str_eq(pst_json_str(o, "login", 100), "ask");
	cr_expect_null(json_object_get(o, "password"));
	json_decref(o);
	m.pin = NULL;
	cr_expect_null(rdp_site_account(&s, &m, &err), "its authority cannot be read");
	cr_expect(rdp_site_knows(&s, ""));
	s.ca[0] = '\0';
	cr_expect(!rdp_site_knows(&s, ""));
	cr_expect_null(rdp_site_account(&s, &m, &err));
	cr_expect_not_null(strstr(err.text, "by what certificate"), "%s", err.text);
}

Test(rdp_site, a_file_for_all_to_read_is_refused)
{
	struct rdp_site s = site("rdp_login = fixed\nrdp_fingerprint = " PIN "\n");
	struct rdp_machine m = { .name = "lab-01" };
	struct pst_err err = PST_ERR_INIT;

	cr_expect_null(rdp_site_account(&s, &m, &err));
	cr_expect_not_null(strstr(err.text, "rdp_accounts: missing"), "%s", err.text);
	accounts(s.accounts, "* guest x\n", 0640);
	cr_expect_null(rdp_site_account(&s, &m, &err));
	cr_expect_not_null(strstr(err.text, "chmod 600"), "%s", err.text);
	chmod(s.accounts, 0600);
	m.name = "*x";
	json_decref(rdp_site_account(&s, &m, &err));
	unlink(s.accounts);
	cr_expect_null(rdp_site_account(&s, &m, &err));
}

Test(rdp_site, pins_are_hex_with_or_without_colons)
{
	struct pst_err err = PST_ERR_INIT;
	char pin[RDP_PIN_SIZE];

	cr_expect_eq(rdp_pin_read("01:23:45:67:89:AB:CD:EF:" "0123456789abcdef0123456789abcdef0123456789abcdef", pin, &err), 0);
	cr_expect_str_eq(pin, PIN);
	cr_expect_eq(rdp_pin_read("0123", pin, &err), PST_EINVAL);
	cr_expect_eq(rdp_pin_read(PIN "0", pin, &err), PST_EINVAL);
	cr_expect_eq(rdp_pin_read("g" PIN, pin, &err), PST_EINVAL);
}

Test(rdp_site, a_vnc_server_s_password_may_be_missing)
{
	struct rdp_site s = site("rdp_login = ask\n");
	struct pst_err err = PST_ERR_INIT;
	json_t *o = rdp_site_password(&s, "lab-01", &err);

	cr_assert(o && json_object_size(o) == 0);
	json_decref(o);
	accounts(s.accounts, "* guest shared\nlab-02 - secret\n", 0600);
	o = rdp_site_password(&s, "lab-01", &err);
	cr_assert(o && json_object_size(o) == 0, "the account of any machine is for servers that have shown a certificate");
	json_decref(o);
	o = rdp_site_password(&s, "lab-02", &err);
	cr_assert_str_eq(pst_json_str(o, "password", 100), "secret");
	json_decref(o);
	unlink(s.accounts);
	/* Whoever has a VNC server's address has shown no certificate: the account of any machine is not for him. */
	accounts(s.accounts, "* guest secret\nlab-02 - own\n", 0600);
	o = rdp_site_password(&s, "lab-01", &err);
	cr_assert(o && json_object_size(o) == 0);
	json_decref(o);
	o = rdp_site_password(&s, "lab-02", &err);
	cr_assert_str_eq(pst_json_str(o, "password", 100), "own");
	json_decref(o);
	unlink(s.accounts);
}

Test(rdp_site, a_machine_is_reached_by_what_it_was_asked_to_be)
{
	struct rdp_site s = site("rdp_port = 3390\n");
	struct seed_site with = { .agents = "10.0.0.1:5911", .agent_port = 5910 }, without = { .agent_port = 5910 };
	static const struct {
		bool is_windows, has_rdp;
		enum endpoint_kind kind;
		uint16_t port;
		bool has_agent;
	} cases[] = {
		{ false, false, ENDPOINT_TLS, 5910, false },
		{ true, false, ENDPOINT_RDP, 3390, true },
		{ true, true, ENDPOINT_RDP, 3390, true },
		{ false, true, ENDPOINT_RDP, 3390, false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct machine_request r = { .is_windows = cases[i].is_windows, .has_rdp = cases[i].has_rdp };
		struct machine_endpoint e = { .kind = ENDPOINT_NONE };

		rdp_site_endpoint(&s, &with, &r, "10.1.2.3", &e);
		cr_expect(e.kind == cases[i].kind && e.port == cases[i].port && e.has_agent == cases[i].has_agent, "case %zu", i);
		cr_expect_str_eq(e.address, "10.1.2.3");
		rdp_site_endpoint(&s, &without, &r, "10.1.2.3", &e);
		cr_expect_not(e.has_agent, "without a seed no agent comes");
	}
}

Test(rdp_site, what_the_agent_says_of_a_certificate_goes_before_the_provider)
{
	struct rdp_site none = site(""), own = site("rdp_fingerprint = " PIN "\n");
	struct machine_request r = { .desktop = "the-desktop", .hostname = "desk-1", .layout = "es" };
	struct machine_endpoint e = { .kind = ENDPOINT_RDP, .address = "10.1.2.3" };
	struct pst_err err = PST_ERR_INIT;
	char pin[RDP_PIN_SIZE];
	json_t *o = NULL;

	cr_assert_eq(rdp_site_enter(&none, &r, &e, "", &o, &err), PST_EINVAL, "whoever answers first is not believed");
	cr_assert_null(o);
	cr_assert(strstr(err.text, "desk-1"), "%s", err.text);
	cr_assert_eq(rdp_pin_read("AB:" PIN, pin, &err), PST_EINVAL);
	memset(pin, 'a', sizeof(pin) - 1);
	pin[sizeof(pin) - 1] = '\0';
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(rdp_site_enter(i == 0 ? &none : &own, &r, &e, i == 2 ? "" : pin, &o, &err), 0, "%s", err.text);
		cr_expect_str_eq(pst_json_str(o, "fingerprint", 64), i == 2 ? PIN : pin);
		cr_expect_str_eq(pst_json_str(o, "layout", 8), "es");
		json_decref(o);
	}
	cr_expect_eq(rdp_site_enter(&none, &r, &e, "", NULL, &err), 0, "who only asks where it is needs no account");
	e.kind = ENDPOINT_TLS;
	cr_expect_eq(rdp_site_enter(&own, &r, &e, "", &o, &err), PST_EUNSUPPORTED);
	cr_expect(strstr(err.text, "the-desktop"), "%s", err.text);
}

Test(rdp_site, without_an_address_only_an_agent_helps)
{
	struct rdp_site s = site("");
	struct seed_site with = { .agents = "10.0.0.1:5911" }, without = { .agents = "" };
	static const struct {
		bool is_windows, has_rdp, is_with, is_without; /* needs it, with a seed and without */
		enum endpoint_kind kind;                       /* with a seed, while it is not known */
	} cases[] = {
		{ false, false, false, false, ENDPOINT_NONE },
		{ false, true, true, true, ENDPOINT_NONE },
		{ true, false, false, true, ENDPOINT_RDP },
		{ true, true, false, true, ENDPOINT_RDP },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct machine_request r = { .desktop = "the-desktop", .is_windows = cases[i].is_windows, .has_rdp = cases[i].has_rdp };
		struct machine_endpoint e = { .kind = ENDPOINT_NONE }, none = e;
		struct pst_err err = PST_ERR_INIT;
		json_t *o = NULL;

		cr_expect_eq(rdp_site_needs_address(&with, &r), cases[i].is_with, "case %zu", i);
		cr_expect_eq(rdp_site_needs_address(&without, &r), cases[i].is_without, "case %zu", i);
		cr_expect_eq(rdp_site_has_agent(&with, &r), cases[i].is_windows, "case %zu", i);
		cr_expect_not(rdp_site_has_agent(&without, &r), "case %zu", i);
		rdp_site_endpoint(&s, &with, &r, "", &e);
		cr_expect(e.kind == cases[i].kind && e.has_agent == (e.kind == ENDPOINT_RDP), "case %zu", i);
		rdp_site_endpoint(&s, &without, &r, "", &none);
		cr_expect_eq(none.kind, ENDPOINT_NONE, "case %zu", i);
		cr_expect_eq(rdp_site_enter(&s, &r, &e, PIN, &o, &err), e.kind == ENDPOINT_RDP ? PST_EBUSY : PST_EUNSUPPORTED, "case %zu", i);
	}
}
