/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a host prints, and the records that it keeps for us. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/hypervisor/ssh/answer.h"
#include "broker/hypervisor/ssh/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ssh_record record;
	struct pst_err err = PST_ERR_INIT;
	struct answer a;

	if (answer_parse((const char *)data, size, &a, &err) == 0) {
		for (size_t i = 0; i < a.machines_n; i++) {
			const struct answer_machine *m = answer_find(&a, a.machines[i].name);

			if (!m || strcmp(m->name, a.machines[i].name) != 0)
				abort();
		}
		for (size_t i = 0; i < a.records_n; i++) {
			if (ssh_record_parse(a.records[i].text, a.records[i].len, &record, &err) == 0 && record.snapshots_n > SSH_SNAPSHOTS_MAX)
				abort();
		}
	}
	answer_finish(&a);
	return 0;
}
