/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two never have one seat. */
#include "broker/hypervisor/hosts/lease.h"

#include "base/file.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"
#include "tests/unit/hypervisor/contract.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

static void folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/puesto-lease-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void folder_remove(void)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(tree_remove(folder, &err), 0);
}

static struct lease make(const char *seat)
{
	struct lease l = { .phase = LEASE_TAKING };

	contract_request(&l.request, "ref:any");
	pst_strlcpy(l.seat, sizeof(l.seat), seat);
	return l;
}

Test(lease, is_taken_once_changed_and_dropped, .init = folder_make, .fini = folder_remove)
{
	struct lease a = make("lab-01"), b = make("lab-01"), got;
	struct pst_err err = PST_ERR_INIT;
	struct leases all;

	cr_assert_eq(lease_load(folder, "lab-01", &got, &err), PST_ENOTFOUND);
	cr_assert_eq(lease_take(folder, &a, &err), 0, "%s", err.text);
	cr_assert_eq(lease_take(folder, &b, &err), PST_ECONFLICT);
	cr_assert_not_null(strstr(err.text, "lab-01"), "%s", err.text);
	cr_assert_eq(lease_load(folder, "lab-01", &got, &err), 0, "%s", err.text);
	cr_assert_str_eq(got.request.desktop, a.request.desktop);
	cr_assert_str_eq(got.request.enrol_token, "");
	a.phase = LEASE_LENT;
	cr_assert_eq(lease_save(folder, &a, &err), 0, "%s", err.text);
	cr_assert_eq(leases_load(folder, &all, &err), 0, "%s", err.text);
	cr_assert_eq(all.n, 1, "drafts are none");
	cr_assert_eq(all.list[0].phase, LEASE_LENT);
	cr_assert_not_null(leases_of(&all, a.request.desktop));
	cr_assert_null(leases_of(&all, b.request.desktop));
	cr_assert_not_null(leases_seat(&all, "lab-01"));
	all.list[0].phase = LEASE_DIRTY;
	cr_assert_null(leases_of(&all, a.request.desktop), "nobody's");
	leases_finish(&all);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(lease_drop(folder, "lab-01", &err), 0, "%s", err.text);
	cr_assert_eq(lease_take(folder, &b, &err), 0, "%s", err.text);
}

static atomic_int winners;

static void *race(void *arg)
{
	struct pst_err err = PST_ERR_INIT;
	struct lease l = make("lab-01");

	if (lease_take(folder, &l, &err) == 0)
		atomic_fetch_add(&winners, 1);
	return NULL;
}

Test(lease, of_many_who_want_it_one_gets_it, .init = folder_make, .fini = folder_remove, .timeout = 60)
{
	pthread_t threads[8];

	for (int round = 0; round < 20; round++) {
		struct pst_err err = PST_ERR_INIT;

		atomic_store(&winners, 0);
		for (size_t i = 0; i < 8; i++)
			cr_assert_eq(pthread_create(&threads[i], NULL, race, NULL), 0);
		for (size_t i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		cr_assert_eq(atomic_load(&winners), 1);
		cr_assert_eq(lease_drop(folder, "lab-01", &err), 0);
	}
}

/* A seat whose file cannot be read is not a free one. */
Test(lease, what_is_damaged_is_an_error, .init = folder_make, .fini = folder_remove)
{
	static const char *const bad[] = { "", "{}", "{\"phase\":\"odd\",\"seat\":\"lab-01\",\"request\":{}}" };
	char path[PATH_MAX];
	struct leases all;
	struct lease l;

	snprintf(path, sizeof(path), "%s/lab-01.seat", folder);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		cr_assert_eq(pst_file_write(path, bad[i], strlen(bad[i]), 0600, &err), 0);
		cr_assert_eq(lease_load(folder, "lab-01", &l, &err), PST_EINVAL, "%s", bad[i]);
		cr_assert_not_null(strstr(err.text, path), "%s", err.text);
		cr_assert_eq(leases_load(folder, &all, &err), PST_EINVAL);
		leases_finish(&all);
	}
	struct pst_err err = PST_ERR_INIT;
	cr_assert_eq(leases_load("/nonexistent", &all, &err), PST_EIO);
	leases_finish(&all);
}

Test(lease, hundreds_are_listed, .init = folder_make, .fini = folder_remove)
{
	struct pst_err err = PST_ERR_INIT;
	struct leases all;
	char name[16];

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "lab-%d", i);
		struct lease l = make(name);
		cr_assert_eq(lease_take(folder, &l, &err), 0, "%s", err.text);
	}
	cr_assert_eq(leases_load(folder, &all, &err), 0, "%s", err.text);
	cr_assert_eq(all.n, 200);
	leases_finish(&all);
}
