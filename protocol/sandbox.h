/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The worker's door: a list of system calls that it may still make. Files, sockets, programs, other processes are not among them; asking for a
 * file gives EACCES (libraries ask out of habit), anything unforeseen ends the process.
 */
#pragma once

#include "base/err.h"

int sandbox_enter(struct pst_err *err);
/* The same list, but unforeseen calls pass and are logged by the kernel: to find out what a library needs. */
int sandbox_enter_logging(struct pst_err *err);
/* The same list, and memory that is shared by a descriptor: for the process whose screens others read. */
int sandbox_enter_seat(struct pst_err *err);
