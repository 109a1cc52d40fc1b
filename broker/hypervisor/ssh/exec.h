/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A script on a host, and what came of it. Any thread. */
#pragma once

#include "broker/hypervisor/calls.h"
#include "broker/hypervisor/ssh/answer.h"
#include "broker/hypervisor/ssh/remote.h"
#include "broker/hypervisor/ssh/script.h"

/*
 * Ends sc, runs it and reads the answer; takes sc. text holds what ret points into: pst_buf_finish and answer_finish follow
 * in any case. A step that fails is PST_EIO with its name, its status and its last words.
 */
int exec_script(struct remote *r, struct script *sc, const struct call *call, struct pst_buf *text, struct answer *ret, struct pst_err *err);
/* The same for a script whose answer is its end only. */
int exec_steps(struct remote *r, struct script *sc, const struct call *call, struct pst_err *err);
