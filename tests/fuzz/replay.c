/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The main of a fuzz target without a fuzzer: feeds it each file named on the command line. */
#include "base/err.h"
#include "base/file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes get a block of their own size, so that a sanitizer sees any step outside. */
static int replay(const char *path)
{
	struct pst_err err;
	char *text, *exact;
	size_t len;

	if (pst_file_read(path, INPUT_MAX, &text, &len, &err) < 0) {
		fprintf(stderr, "replay: %s\n", err.text);
		return -1;
	}
	exact = realloc(text, len ? len : 1);
	LLVMFuzzerTestOneInput((const uint8_t *)(exact ? exact : text), len);
	free(exact ? exact : text);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++) {
		/* Named before it runs: after a crash the last line is the culprit. */
		fprintf(stderr, "replay: %s\n", argv[i]);
		if (replay(argv[i]) < 0)
			rc = 1;
	}
	return rc;
}
