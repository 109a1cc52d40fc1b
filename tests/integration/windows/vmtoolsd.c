/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VMware Tools' program as far as the agent asks it, for tests under Wine: "--cmd 'info-get KEY'" and "--cmd 'info-set KEY VALUE'" of a file KEY beside
 * it. A file "hangs" beside it, and it never ends; what it is asked stands in "asked".
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[MAX_PATH];

static FILE *file_open(const char *name, const char *how)
{
	char path[MAX_PATH + 64];

	snprintf(path, sizeof(path), "%s\\%s", folder, name);
	return fopen(path, how);
}

static int get(const char *key)
{
	FILE *f = file_open(key, "rb");
	char text[200000];
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;

	fputs("a warning that is no value\n", stderr);
	if (n == 0) {
		fputs("No value found\n", stderr);
		return 1;
	}
	fwrite(text, 1, n, stdout);
	puts("");
	return 0;
}

static int set(char *words)
{
	char *value = strchr(words, ' ');
	FILE *f;

	if (!value)
		return 1;
	*value++ = '\0';
	f = file_open(words, "wb");
	fputs(value, f);
	return fclose(f);
}

int main(int argc, char **argv)
{
	FILE *f;

	GetModuleFileNameA(NULL, folder, sizeof(folder));
	*strrchr(folder, '\\') = '\0';
	if (argc != 3 || strcmp(argv[1], "--cmd") != 0)
		return 2;
	f = file_open("asked", "ab");
	fprintf(f, "%s\n", argv[2]);
	fclose(f);
	if ((f = file_open("hangs", "rb")))
		Sleep(INFINITE);
	if (strncmp(argv[2], "info-get ", 9) == 0)
		return get(argv[2] + 9);
	return strncmp(argv[2], "info-set ", 9) == 0 ? set(argv[2] + 9) : 2;
}
