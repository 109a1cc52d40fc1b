/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Passwords: never on a command line, never echoed. */
#include "broker/cli/ctl.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int ask_password(const char *prompt, char *out, size_t out_size, struct pst_err *err)
{
	struct termios before, quiet;
	bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;

	if (is_terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fprintf(stderr, "%s: ", prompt);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	char *line = fgets(out, (int)out_size, stdin);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	if (!line)
		return pst_err_set(err, PST_EINVAL, "no password was given on standard input");
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}
