/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MultiByteToWideChar and back. */
#include "agent/windows/wide.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

wchar_t *wide_from(const char *utf8)
{
	int n = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, -1, NULL, 0);
	wchar_t *out = n > 0 ? calloc((size_t)n, sizeof(*out)) : NULL;

	if (out && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, utf8, -1, out, n) == n)
		return out;
	free(out);
	return NULL;
}

char *wide_to(const wchar_t *text, char *out, size_t out_size)
{
	size_t len = wcslen(text);
	int n = 0;

	/* What is cut is cut between letters. */
	while (len > 0 && (n = WideCharToMultiByte(CP_UTF8, 0, text, (int)len, out, (int)out_size - 1, NULL, NULL)) == 0)
		len--;
	out[n] = '\0';
	return out;
}

int wide_err(struct pst_err *err, int code, unsigned long error, const char *what)
{
	wchar_t words[200] = L"";
	char text[300];
	DWORD n = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error, MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US),
		words, ARRAYSIZE(words), NULL);

	while (n > 0 && (words[n - 1] == L'\n' || words[n - 1] == L'\r' || words[n - 1] == L'.'))
		words[--n] = L'\0';
	if (n == 0)
		return pst_err_set(err, code, "%s: error 0x%08lx", what, error);
	return pst_err_set(err, code, "%s: %s (0x%08lx)", what, wide_to(words, text, sizeof(text)), error);
}
