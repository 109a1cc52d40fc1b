/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of QEMU's monitor. */
#include <stdint.h>
#include <stdlib.h>

#include "broker/hypervisor/qemu/qmp_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct qmp_message m;

	int rc = qmp_message_read((const char *)data, size, &m, &err);
	if ((rc == 0) != (m.root != NULL) || !m.text || (rc < 0 && rc != PST_EPROTO))
		abort();
	qmp_message_finish(&m);
	return 0;
}
