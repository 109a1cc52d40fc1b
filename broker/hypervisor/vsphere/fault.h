/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server of the vSphere API refuses, as an error of ours. Pure. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/vsphere/soap.h"

/* fault: an element whose xsi:type is a MethodFault; message: the server's words, or "". Returns the code. */
int fault_set(struct pst_err *err, const struct soap_node *fault, const char *message, const char *what);

/* The body of an answer: 0 unless it is a Fault. */
int fault_check(const struct soap_node *body, const char *what, struct pst_err *err);

/* Is that what the last error was about? "InvalidPowerState" stands in its text. */
bool fault_is(const struct pst_err *err, const char *name);
