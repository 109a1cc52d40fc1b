/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that is run without a window, in a job of its own: its children end with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Handles; zeroed, there is none. */
struct process {
	void *process, *job;
};

/* line: as CreateProcess takes and changes it, the program's path in quotes. output, errors: inheritable handles for what it says, borrowed; NULL: nobody hears it. */
bool process_start(struct process *p, wchar_t *line, void *output, void *errors);
/* Ends it, if it runs, and lets go of it. */
void process_end(struct process *p);
