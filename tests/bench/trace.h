/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traces: what programs on a desktop draw, step by step, and the damage that they report. The same in every
 * run. */
#pragma once

#include "scene.h"

#define TRACE_W 1920
#define TRACE_H 1080

struct trace {
	const char *name;
	int steps, interval_ms; /* from 200 ms on, each step is refined before the next */
	struct rect (*step)(struct scene *s, int i); /* draws and returns the damage */
	void (*begin)(struct scene *s);              /* what is there before; NULL is a page of text */
};

/* Ends with one without a name. */
extern const struct trace traces[];

/* Draws what is on the screen before the first step. */
void trace_begin(const struct trace *t, struct scene *s);
