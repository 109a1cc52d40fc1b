/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One event, one line, one write. */
#include "base/log.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Set once at start, before other threads; only the level changes later. */
static struct {
	char program[32];
	int fd;
	bool json;
	_Atomic int min;
} logger = { .program = "puesto", .fd = STDERR_FILENO, .min = PST_INFO };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void pst_log_init(const char *program, enum pst_level min, int fd, bool json)
{
	pst_strlcpy(logger.program, sizeof(logger.program), program);
	logger.fd = fd;
	logger.json = json;
	atomic_store(&logger.min, (int)min);
}

void pst_log_set_level(enum pst_level min)
{
	atomic_store(&logger.min, (int)min);
}

enum pst_level pst_log_level(void)
{
	return (enum pst_level)atomic_load(&logger.min);
}

int pst_log_level_parse(const char *name, enum pst_level *ret_level)
{
	for (int i = 0; i < 4; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret_level = (enum pst_level)i;
			return 0;
		}
	}
	return PST_EINVAL;
}

/* Writes one unit of the message and returns its length: plain, or escaped when it could
 * break a line, a terminal or the JSON around it. */
static size_t escape_unit(char *out, const char *s, int unit, bool json)
{
	unsigned char c = (unsigned char)*s;

	if (unit <= 0 || c < 0x20 || c == 0x7f) {
		static const char digits[] = "0123456789abcdef";
		const char text[] = { '\\', json ? '\\' : 'x', json ? 'x' : digits[c >> 4],
			json ? digits[c >> 4] : digits[c & 15], digits[c & 15] };
		size_t n = json ? 5 : 4;

		memcpy(out, text, n);
		return n;
	}
	if (json && (c == '"' || c == '\\')) {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	memcpy(out, s, (size_t)unit);
	return (size_t)unit;
}

/* C1 controls (U+0080-U+009F) drive some terminals, so they count as broken. */
static int unit_length(const char *s, size_t n)
{
	uint32_t cp = 0;
	int unit = pst_utf8_next(s, n, &cp);

	return cp >= 0x80 && cp < 0xa0 ? PST_EINVAL : unit;
}

static size_t escape(char *out, size_t size, const char *msg, bool json)
{
	size_t n = strlen(msg), at = 0, o = 0;

	while (at < n) {
		char piece[8];
		int unit = unit_length(msg + at, n - at);
		size_t len = escape_unit(piece, msg + at, unit, json);

		if (o + len + 4 > size) {
			memcpy(out + o, "...", 3);
			return o + 3;
		}
		memcpy(out + o, piece, len);
		o += len;
		at += unit > 0 ? (size_t)unit : 1;
	}
	return o;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return; /* A full or broken log must not stop the program. */
		p += done;
		n -= (size_t)done;
	}
}

void pst_log(enum pst_level level, const char *fmt, ...)
{
	char msg[PST_LOG_LINE_MAX - 256], line[PST_LOG_LINE_MAX], ts[PST_RFC3339_SIZE];
	int saved = errno;
	va_list ap;

	if ((int)level < atomic_load(&logger.min))
		return;

	va_start(ap, fmt);
	int len = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;

	pst_rfc3339(pst_wall_ms(), ts);
	int n = snprintf(line, sizeof(line),
		logger.json ? "{\"ts\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"msg\":\"" : "%s %s %s ",
		ts, level_names[level], logger.program);
	size_t at = (size_t)n;
	at += escape(line + at, sizeof(line) - at - 8, msg, logger.json);
	memcpy(line + at, logger.json ? "\"}\n" : "\n", logger.json ? 3 : 1);
	write_all(logger.fd, line, at + (logger.json ? 3 : 1));
	errno = saved;
}

bool pst_log_every(struct pst_log_gate *gate, uint64_t now_ms, uint64_t interval_ms,
	uint32_t *ret_suppressed)
{
	if (now_ms < gate->next_ms) {
		if (gate->suppressed < UINT32_MAX)
			gate->suppressed++;
		return false;
	}

	if (ret_suppressed)
		*ret_suppressed = gate->suppressed;
	gate->suppressed = 0;
	gate->next_ms = now_ms + interval_ms;
	return true;
}
