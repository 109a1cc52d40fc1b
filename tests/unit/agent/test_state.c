/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Covers: agent/enrol.c */
/* The lease and the enrolment as files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/enrol.h"
#include "agent/state.h"
#include "base/daemon.h"
#include "base/mem.h"

static char dir[64], path[100];

static void open_dir(void)
{
	strcpy(dir, "/tmp/puesto-state-XXXXXX");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
}

static void close_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static void file_write(const char *text)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(pst_file_write(path, text, strlen(text), 0600, &err), 0, "%s", err.text);
}

TestSuite(state, .init = open_dir, .fini = close_dir);

Test(state, lease_survives_and_is_private)
{
	struct lease l = { .desktop = "d",
		.has_key = true,
		.user = "ana \"ñ\"",
		.epoch = 1234567890123,
		.is_used = true },
		     back;
	char enrolled[PST_SHA256_HEX_SIZE];
	struct pst_err err = PST_ERR_INIT;
	struct stat st;

	memset(l.key, 0xa5, sizeof(l.key));
	cr_assert_eq(state_load(path, &back, enrolled, &err), PST_ENOTFOUND);
	cr_assert_eq(state_save(path, &l, "abc", &err), 0, "%s", err.text);
	cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	cr_assert_eq(state_load(path, &back, enrolled, &err), 0, "%s", err.text);
	cr_assert(strcmp(back.user, l.user) == 0 && back.epoch == l.epoch && back.is_used && back.has_key);
	cr_assert(memcmp(back.key, l.key, sizeof(l.key)) == 0 && strcmp(enrolled, "abc") == 0);
}

Test(state, damaged_files_are_errors_and_not_fresh_starts)
{
	static const char *const bad[] = { "", "{", "{}", "[]",
		"{\"desktop\":\"d\",\"user\":\"\",\"key\":\"short\","
		"\"enrolled\":\"\",\"epoch\":1,\"used\":true}",
		"{\"desktop\":\"d\",\"user\":\"\",\"key\":\"\",\"enrolled\":\"\","
		"\"epoch\":-1,\"used\":true}" };

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++) {
		struct lease l;
		char enrolled[PST_SHA256_HEX_SIZE];
		struct pst_err err = PST_ERR_INIT;
		file_write(bad[i]);
		int rc = state_load(path, &l, enrolled, &err);
		cr_assert(rc < 0 && rc != PST_ENOTFOUND && err.text[0], "case %zu: %d", i, rc);
	}
}

Test(state, enrolment_wants_a_uuid_and_a_token)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ "{\"desktop\":\"6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11\",\"token\":\"t\"}", true },
		{ "{\"desktop\":\"6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11\",\"token\":\"\"}", false },
		{ "{\"desktop\":\"../../etc/passwd\",\"token\":\"t\"}", false },
		{ "{\"desktop\":\"6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11\"}", false },
		{ "", false },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct enrol e;
		struct pst_err err = PST_ERR_INIT;
		file_write(cases[i].text);
		cr_assert_eq(enrol_read(path, &e, &err) == 0, cases[i].is_good, "case %zu: %s", i, err.text);
		cr_assert(!cases[i].is_good || strlen(e.hash) == 64);
	}
}
