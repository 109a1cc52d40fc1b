/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A text of the registry. */
#include "agent/windows/kvp.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define PLACE L"SOFTWARE\\Microsoft\\Virtual Machine\\External"
#define SEED L"org.puesto.seed"

/* UTF-8 has at most three bytes for each of its words. */
static int text_take(const wchar_t *wide, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	size_t size = 3 * wcslen(wide) + 1;
	char *text = pst_zalloc(1, size);
	int n = text ? WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, (int)size, NULL, NULL) : 0;

	if (n > 1 && (size_t)n <= max + 1) {
		*ret_text = text;
		*ret_len = (size_t)n - 1;
		return 0;
	}
	free(text);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	return n <= 1 ? PST_ENOTFOUND : pst_err_set(err, PST_EINVAL, "the seed is too long");
}

int kvp_read(size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	DWORD size = (DWORD)(max + 1) * sizeof(wchar_t), given = size;
	wchar_t *wide = pst_zalloc(1, size);
	LSTATUS status = wide ? RegGetValueW(HKEY_LOCAL_MACHINE, PLACE, SEED, RRF_RT_REG_SZ, NULL, wide, &size) : ERROR_OUTOFMEMORY;
	int rc = PST_ENOTFOUND;

	if (!wide)
		rc = pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	else if (status == ERROR_MORE_DATA)
		rc = pst_err_set(err, PST_EINVAL, "the seed is too long");
	else if (status == ERROR_SUCCESS)
		rc = text_take(wide, max, ret_text, ret_len, err);
	if (wide)
		pst_wipe(wide, given);
	free(wide);
	return rc;
}

void kvp_clear(void)
{
	HKEY place;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, PLACE, 0, KEY_SET_VALUE, &place) != ERROR_SUCCESS)
		return;
	RegDeleteValueW(place, SEED);
	RegCloseKey(place);
}
