/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The provisioner's sentences in Spanish. */
#include "broker/core/foreign.h"
#include "broker/core/reason.h"

#include <criterion/criterion.h>
#include <string.h>

Test(foreign, refusals_of_datastores_are_told_in_spanish)
{
	char es[300];

	cr_assert(foreign_spanish("no datastore takes new disks: fast is full (93 %, 40 GB left), slow is under maintenance; make room, or end the maintenance",
		es, sizeof(es)));
	cr_expect_str_eq(es, "ningún almacén admite discos nuevos: fast está lleno (93 %, 40 GB libres), slow está en mantenimiento; libere espacio o termine el mantenimiento");
	cr_assert(foreign_spanish("provider vm: no datastore takes a new disk: nas is offline", es, sizeof(es)));
	cr_expect_str_eq(es, "provider vm: ningún almacén admite un disco nuevo: nas no responde");
	strcpy(es, "as it was");
	cr_expect_not(foreign_spanish("libvirt cannot be reached", es, sizeof(es)));
	cr_expect_str_eq(es, "as it was");
	cr_assert(foreign_spanish("no datastore takes new disks: fast is full", es, 20));
	cr_expect_eq(strlen(es), 19);
}

Test(foreign, a_reason_carries_them)
{
	struct core_reason r;

	reason_set(&r, REASON_PROVIDER_UNHEALTHY, "vm", "no datastore takes new disks: fast is full (93 %, 40 GB left)");
	cr_expect_str_eq(r.en, "The provider vm is not healthy: no datastore takes new disks: fast is full (93 %, 40 GB left)");
	cr_expect_str_eq(r.es, "El proveedor vm no está disponible: ningún almacén admite discos nuevos: fast está lleno (93 %, 40 GB libres)");
}
