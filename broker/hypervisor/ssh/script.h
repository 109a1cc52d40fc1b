/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scripts for a host's /bin/sh, which come to it on its stdin: nothing of them, and no seed, stands on a
 * command line. One that arrives cut is not run at all. When whoever sent it goes away, all that it
 * started is ended. Failure is sticky: script_end tells. Pure.
 */
#pragma once

#include "base/buf.h"
#include "broker/hypervisor/ssh/template.h"

struct script {
	struct pst_buf text; /* holds secrets: script_finish wipes it */
	bool has_seed;
};

/* dir: where our records lie. desktop "": a script about all. */
void script_begin(struct script *s, const char *dir, const char *desktop);
void script_value(struct script *s, enum template_name name, const char *value);
/* Waits for an earlier script of that desktop to end, and keeps others out. makes: the folder, too. */
void script_lock(struct script *s, bool makes);
/* What the steps that follow get on their stdin, and as a file where they name {seed}. NULL: nothing. */
void script_seed(struct script *s, const char *text);
/* A step: the compiled command; its output is for people. step is a word. */
void script_run(struct script *s, const char *step, const char *compiled);
/* A step whose failure does not matter. */
void script_try(struct script *s, const char *compiled);
/* Writes the desktop's record; or removes it. */
void script_put(struct script *s, const char *record);
void script_forget(struct script *s);
/* Prints the desktop's record, or all; and what the compiled command lists (answer.h). */
void script_print(struct script *s, const char *list);
/* The whole text, borrowed; NULL when it became too long or memory is short. */
const char *script_end(struct script *s);
void script_finish(struct script *s);
