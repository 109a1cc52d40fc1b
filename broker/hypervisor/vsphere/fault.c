/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table: the fault's name in the vSphere API (its reference, "Faults"), the code, and what to do. */
#include "broker/hypervisor/vsphere/fault.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define WORDS_SIZE 200

static const struct {
	const char *name;
	int code;
	const char *advice; /* or NULL */
} faults[] = {
	{ "InvalidLogin", PST_EAUTH, "see \"user\" and \"password_file\"" },
	{ "NotAuthenticated", PST_EAUTH, "the session has ended" },
	{ "NoPermission", PST_EDENIED, "give the account this right there" },
	{ "RestrictedVersion", PST_EDENIED, "its licence does not allow it" },
	{ "ManagedObjectNotFound", PST_ENOTFOUND, NULL },
	{ "NotFound", PST_ENOTFOUND, NULL },
	{ "DuplicateName", PST_ECONFLICT, NULL },
	{ "AlreadyExists", PST_ECONFLICT, NULL },
	{ "FileAlreadyExists", PST_ECONFLICT, "remove that folder from the datastore" },
	{ "InvalidPowerState", PST_EBUSY, NULL },
	{ "InvalidState", PST_EBUSY, NULL },
	{ "TaskInProgress", PST_EBUSY, "another task runs on it" },
	{ "ConcurrentAccess", PST_EBUSY, NULL },
	{ "ResourceInUse", PST_EBUSY, NULL },
	{ "FileLocked", PST_EBUSY, NULL },
	{ "OutOfBounds", PST_EINVAL, NULL },
	{ "NoDiskSpace", PST_ENOSPC, "make room in the datastore" },
	{ "InsufficientStorageSpace", PST_ENOSPC, "make room in the datastore" },
	{ "InsufficientResourcesFault", PST_ELIMIT, "the hosts of the resource pool are full" },
	{ "InsufficientMemoryResourcesFault", PST_ELIMIT, "the hosts of the resource pool are full" },
	{ "InsufficientCpuResourcesFault", PST_ELIMIT, "the hosts of the resource pool are full" },
	{ "NotSupported", PST_EUNSUPPORTED, NULL },
	{ "NotImplemented", PST_EUNSUPPORTED, NULL },
	{ "MethodNotFound", PST_EUNSUPPORTED, NULL },
	{ "MethodDisabled", PST_EUNSUPPORTED, NULL },
	{ "ToolsUnavailable", PST_EUNSUPPORTED, "VMware Tools do not run in the guest" },
	{ "InvalidArgument", PST_EINVAL, NULL },
	{ "InvalidProperty", PST_EINVAL, NULL },
	{ "InvalidRequest", PST_EINVAL, NULL },
	{ "InvalidName", PST_EINVAL, NULL },
	{ "InvalidType", PST_EINVAL, NULL },
	{ "InvalidDeviceSpec", PST_EINVAL, NULL },
	{ "InvalidVmConfig", PST_EINVAL, NULL },
	{ "RequestCanceled", PST_ECLOSED, NULL },
	{ "Timedout", PST_ETIMEOUT, NULL },
};

/* It goes into logs and pages. */
static void words_copy(const char *text, char out[WORDS_SIZE])
{
	size_t n = 0;

	for (; *text && n + 1 < WORDS_SIZE; text++)
		out[n++] = (unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f ? ' ' : *text;
	out[n] = '\0';
}

/* What makes it concrete: a right, a property, a name. */
static const char *detail(const struct soap_node *fault)
{
	static const char *const fields[] = { "privilegeId", "invalidProperty", "name", "property", "file", "argumentName", "reason" };

	for (size_t i = 0; i < PST_ARRAY_LEN(fields); i++) {
		const char *text = soap_text(fault, fields[i]);

		if (text[0])
			return text;
	}
	return "";
}

int fault_set(struct pst_err *err, const struct soap_node *fault, const char *message, const char *what)
{
	const char *name = fault && fault->type[0] ? fault->type : "an unknown fault", *advice = NULL;
	char kind[WORDS_SIZE], words[WORDS_SIZE], about[WORDS_SIZE];
	int code = PST_EIO;

	for (size_t i = 0; i < PST_ARRAY_LEN(faults); i++) {
		if (strcmp(faults[i].name, name) == 0) {
			code = faults[i].code;
			advice = faults[i].advice;
			break;
		}
	}
	words_copy(name, kind);
	words_copy(message, words);
	words_copy(detail(fault), about);
	return pst_err_set(err, code, "vSphere refuses %s: %.60s%s%.80s%s%.120s%s%s", what, kind, about[0] ? " " : "", about,
		words[0] ? ": " : "", words, advice ? "; " : "", advice ? advice : "");
}

int fault_check(const struct soap_node *body, const char *what, struct pst_err *err)
{
	const struct soap_node *detail;

	if (strcmp(body->name, "Fault") != 0)
		return 0;
	detail = soap_child(body, "detail");
	return fault_set(err, detail ? detail->first : NULL, soap_text(body, "faultstring"), what);
}

bool fault_is(const struct pst_err *err, const char *name)
{
	const char *at = strstr(err->text, name);

	return err->code < 0 && at && (at[strlen(name)] == '\0' || strchr(" :;", at[strlen(name)]));
}
