/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CreateFile, MoveFileEx, and a folder whose list of rights is protected from inheritance. */
#include "agent/windows/disk.h"

#include <windows.h>

#include <sddl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/wide.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define SDDL_MAX 256

/* The SID of who runs this, as text (LocalFree), or NULL: it is SYSTEM. */
static wchar_t *other_owner(void)
{
	uint8_t buffer[256];
	TOKEN_USER *user = (TOKEN_USER *)(void *)buffer;
	HANDLE token;
	wchar_t *sid = NULL;
	DWORD size;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return NULL;
	if (GetTokenInformation(token, TokenUser, user, sizeof(buffer), &size) && !IsWellKnownSid(user->User.Sid, WinLocalSystemSid))
		ConvertSidToStringSidW(user->User.Sid, &sid);
	CloseHandle(token);
	return sid;
}

static bool is_mine(PSID owner)
{
	uint8_t buffer[256];
	TOKEN_USER *user = (TOKEN_USER *)(void *)buffer;
	HANDLE token;
	DWORD size;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	bool is_same = GetTokenInformation(token, TokenUser, user, sizeof(buffer), &size) && EqualSid(owner, user->User.Sid);
	CloseHandle(token);
	return is_same;
}

/* Its owner changes its rights whenever he likes: what a user has made before us, with what he put there, is never taken over. */
static bool is_owner_trusted(const wchar_t *dir)
{
	uint8_t buffer[512];
	PSECURITY_DESCRIPTOR sd = buffer;
	PSID owner = NULL;
	BOOL is_default;
	DWORD size;

	if (!GetFileSecurityW(dir, OWNER_SECURITY_INFORMATION, sd, sizeof(buffer), &size) || !GetSecurityDescriptorOwner(sd, &owner, &is_default) || !owner)
		return false;
	/* What SYSTEM makes belongs to the administrators. */
	return IsWellKnownSid(owner, WinLocalSystemSid) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) || is_mine(owner);
}

static int folder_make(const wchar_t *dir, struct pst_err *err)
{
	wchar_t sddl[SDDL_MAX], *sid = other_owner();
	SECURITY_ATTRIBUTES rights = { .nLength = sizeof(rights) };

	/* Protected: what ProgramData grants to everybody is not inherited. */
	_snwprintf(sddl, SDDL_MAX, sid ? L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;%s)" : L"D:P(A;OICI;FA;;;SY)", sid);
	sddl[SDDL_MAX - 1] = L'\0';
	LocalFree(sid);
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &rights.lpSecurityDescriptor, NULL))
		return wide_err(err, PST_EIO, GetLastError(), "the rights of the agent's folder");
	DWORD error = CreateDirectoryW(dir, &rights) ? 0 : GetLastError();
	if (error == ERROR_ALREADY_EXISTS && !is_owner_trusted(dir))
		error = ERROR_INVALID_OWNER;
	else if (error == ERROR_ALREADY_EXISTS)
		error = SetFileSecurityW(dir, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, rights.lpSecurityDescriptor) ? 0 :
																	    GetLastError();
	LocalFree(rights.lpSecurityDescriptor);
	return error ? wide_err(err, PST_EIO, error, "the agent's folder cannot be made") : 0;
}

int disk_open(struct disk *d, const char *dir, struct pst_err *err)
{
	wchar_t data[MAX_PATH];
	char text[DISK_PATH_MAX];

	if (!dir) {
		DWORD n = GetEnvironmentVariableW(L"ProgramData", data, MAX_PATH);
		if (n == 0 || n >= MAX_PATH)
			return pst_err_set(err, PST_EIO, "Windows names no ProgramData");
		snprintf(d->dir, sizeof(d->dir), "%s\\Puesto", wide_to(data, text, sizeof(text) - 16));
	} else if (pst_strlcpy(d->dir, sizeof(d->dir), dir) < 0) {
		return pst_err_set(err, PST_ELIMIT, "the agent's folder has too long a path");
	}
	wchar_t *w = wide_from(d->dir);
	int rc = w ? folder_make(w, err) : pst_err_set(err, PST_EINVAL, "the agent's folder is no UTF-8");
	free(w);
	return rc;
}

int disk_path(const struct disk *d, const char *name, char out[DISK_PATH_MAX], struct pst_err *err)
{
	int n = snprintf(out, DISK_PATH_MAX, "%s\\%s", d->dir, name);

	return n > 0 && n < DISK_PATH_MAX ? 0 : pst_err_set(err, PST_ELIMIT, "%s: the path is too long", name);
}

/* ---- reading --------------------------------------------------------------------- */

static int file_read(HANDLE file, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	LARGE_INTEGER size;
	DWORD got = 0;

	if (!GetFileSizeEx(file, &size))
		return wide_err(err, PST_EIO, GetLastError(), "its size");
	if (size.QuadPart < 0 || (uint64_t)size.QuadPart > max)
		return pst_err_set(err, PST_ELIMIT, "it has more than %lu bytes", (unsigned long)max);
	char *text = pst_zalloc(1, (size_t)size.QuadPart + 1);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory for it");
	if (!ReadFile(file, text, (DWORD)size.QuadPart, &got, NULL) || got != (DWORD)size.QuadPart) {
		free(text);
		return wide_err(err, PST_EIO, GetLastError(), "it cannot be read");
	}
	*ret_text = text;
	*ret_len = got;
	return 0;
}

int disk_read_path(const char *path, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	wchar_t *w = wide_from(path);
	HANDLE file = w ? CreateFileW(w, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL) : INVALID_HANDLE_VALUE;
	DWORD error = GetLastError();

	free(w);
	if (file == INVALID_HANDLE_VALUE) {
		bool is_none = error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND || error == ERROR_NOT_READY;
		return wide_err(err, is_none ? PST_ENOTFOUND : PST_EIO, error, path);
	}
	int rc = file_read(file, max, ret_text, ret_len, err);
	CloseHandle(file);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}

int disk_read(const struct disk *d, const char *name, size_t max, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	char path[DISK_PATH_MAX];

	return disk_path(d, name, path, err) < 0 ? err->code : disk_read_path(path, max, ret_text, ret_len, err);
}

bool disk_has(const struct disk *d, const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	char path[DISK_PATH_MAX];
	wchar_t *w = disk_path(d, name, path, &err) == 0 ? wide_from(path) : NULL;
	bool is_there = w && GetFileAttributesW(w) != INVALID_FILE_ATTRIBUTES;

	free(w);
	return is_there;
}

/* ---- writing --------------------------------------------------------------------- */

static int file_write(const wchar_t *path, const char *text, size_t len, struct pst_err *err)
{
	HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
	DWORD put = 0;

	if (file == INVALID_HANDLE_VALUE)
		return wide_err(err, PST_EIO, GetLastError(), "it cannot be made");
	bool is_written = WriteFile(file, text, (DWORD)len, &put, NULL) && put == len && FlushFileBuffers(file);
	DWORD error = GetLastError();
	CloseHandle(file);
	return is_written ? 0 : wide_err(err, PST_EIO, error, "it cannot be written");
}

int disk_write(const struct disk *d, const char *name, const char *text, size_t len, struct pst_err *err)
{
	char path[DISK_PATH_MAX], temp[DISK_PATH_MAX];
	int rc = disk_path(d, name, path, err);

	if (rc < 0 || snprintf(temp, sizeof(temp), "%s.tmp", path) >= (int)sizeof(temp))
		return pst_err_set(err, PST_ELIMIT, "%s: the path is too long", name);
	wchar_t *to = wide_from(path), *from = wide_from(temp);
	rc = to && from ? file_write(from, text, len, err) : pst_err_set(err, PST_ENOMEM, "no memory for a path");
	if (rc == 0 && !MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
		rc = wide_err(err, PST_EIO, GetLastError(), "it cannot get its name");
	free(to);
	free(from);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}

void disk_remove(const struct disk *d, const char *name)
{
	struct pst_err err = PST_ERR_INIT;
	char path[DISK_PATH_MAX];
	wchar_t *w = disk_path(d, name, path, &err) == 0 ? wide_from(path) : NULL;

	if (w)
		DeleteFileW(w);
	free(w);
}
