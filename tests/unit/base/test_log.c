/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One event is one line, whatever the data holds. */
#include "base/log.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static int pipe_fds[2];

static void start(enum pst_level level, bool json)
{
	cr_assert_eq(pipe(pipe_fds), 0);
	pst_log_init("test", level, pipe_fds[1], json);
}

/* One line without its time stamp. */
static const char *line(void)
{
	static char text[PST_LOG_LINE_MAX + 1];
	ssize_t n = read(pipe_fds[0], text, PST_LOG_LINE_MAX);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

Test(log, writes_one_escaped_line)
{
	static const struct {
		const char *data, *expected;
	} cases[] = {
		{ "plain ñ €", "plain ñ €" },
		{ "a\nb\r\x1b[31m\x7f", "a\\x0ab\\x0d\\x1b[31m\\x7f" },
		{ "bad\xff utf\xc3", "bad\\xff utf\\xc3" },
		{ "c1\xc2\x9b", "c1\\xc2\\x9b" },
	};

	start(PST_INFO, false);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		char expected[200];

		pst_warn("%s", cases[i].data);
		snprintf(expected, sizeof(expected), "Z warn test %s\n", cases[i].expected);
		cr_assert_str_eq(line() + 23, expected);
	}
	pst_debug("not shown");
	pst_info("shown");
	cr_assert_str_eq(line() + 23, "Z info test shown\n");
}

Test(log, json_lines_stay_json)
{
	char long_text[10000];

	start(PST_DEBUG, true);
	pst_error("quote \" back \\ nl \n bad \xff end");
	json_t *o = json_loads(line(), 0, NULL);
	cr_assert_not_null(o);
	cr_assert_str_eq(json_string_value(json_object_get(o, "msg")), "quote \" back \\ nl \\x0a bad \\xff end");
	cr_assert_str_eq(json_string_value(json_object_get(o, "level")), "error");
	json_decref(o);

	memset(long_text, '\n', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	pst_debug("%s", long_text);
	const char *text = line();
	cr_assert_leq(strlen(text), PST_LOG_LINE_MAX);
	o = json_loads(text, 0, NULL);
	cr_assert_not_null(o);
	json_decref(o);
}

Test(log, levels_and_rate)
{
	struct pst_log_gate gate = { 0 };
	enum pst_level level;
	uint32_t held;

	cr_assert(pst_log_level_parse("warn", &level) == 0 && level == PST_WARN);
	cr_assert_lt(pst_log_level_parse("loud", &level), 0);
	pst_log_set_level(PST_ERROR);
	cr_assert_eq(pst_log_level(), PST_ERROR);

	cr_assert(pst_log_every(&gate, 1000, 500, &held) && held == 0);
	cr_assert(!pst_log_every(&gate, 1100, 500, &held));
	cr_assert(!pst_log_every(&gate, 1499, 500, NULL));
	cr_assert(pst_log_every(&gate, 1500, 500, &held) && held == 2);
}
