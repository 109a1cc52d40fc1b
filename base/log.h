/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One event, one line: "2026-01-02T03:04:05.678Z warn puesto-broker message key=value".
 * Only programs log; lower floors return errors. Any thread may log: each line is
 * one write(2). Control characters, newlines and broken UTF-8 in the message are
 * escaped as \xNN, so data from outside cannot forge a line.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pst_level {
	PST_DEBUG,
	PST_INFO,
	PST_WARN,
	PST_ERROR,
};

/* A line never exceeds this; the rest of the message is cut with "...". */
#define PST_LOG_LINE_MAX 4096

/*
 * Before this, lines go to stderr at level info under the name "puesto". program is
 * copied (31 bytes); fd is borrowed for ever. json makes each line a JSON object with
 * ts, level, program and msg.
 */
void pst_log_init(const char *program, enum pst_level min, int fd, bool json);
void pst_log_set_level(enum pst_level min);
enum pst_level pst_log_level(void);

/* "debug", "info", "warn", "error"; PST_EINVAL for anything else. */
int pst_log_level_parse(const char *name, enum pst_level *ret_level);

void pst_log(enum pst_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pst_debug(...) pst_log(PST_DEBUG, __VA_ARGS__)
#define pst_info(...) pst_log(PST_INFO, __VA_ARGS__)
#define pst_warn(...) pst_log(PST_WARN, __VA_ARGS__)
#define pst_error(...) pst_log(PST_ERROR, __VA_ARGS__)

/*
 * A rate limit for one call site or one source: zero it to start. Each object belongs
 * to one thread.
 */
struct pst_log_gate {
	uint64_t next_ms;
	uint32_t suppressed;
};

/*
 * True when a line may be written now (monotonic ms): at most one every interval_ms.
 * ret_suppressed (may be NULL) gets how many were held back since the last one.
 *
 *	if (pst_log_every(&gate, now, 1000, &held))
 *		pst_warn("bad packet held_back=%u", held);
 */
bool pst_log_every(struct pst_log_gate *gate, uint64_t now_ms, uint64_t interval_ms,
	uint32_t *ret_suppressed);
