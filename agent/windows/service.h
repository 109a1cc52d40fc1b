/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The service "PuestoAgent" at Windows' service control manager. */
#pragma once

#include "agent/windows/agent.h"

/* Registers it (LocalSystem, started with the machine and again when it dies), and its name in the event log; what is there is brought to the same. */
int service_install(struct pst_err *err);
/* Stops and removes both. */
int service_uninstall(struct pst_err *err);

/* Called by the service control manager: runs until it is stopped. */
int service_run(const struct agent_params *p, struct pst_err *err);
