/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a script to its answer or its error. */
#include "broker/hypervisor/ssh/exec.h"

#include "base/text.h"

#include <string.h>

/* The script's own failure names its step; anything else is the connection's. */
static int answer_check(const struct remote *r, const struct answer *a, int rc, struct pst_err *err)
{
	const char *host = remote_name(r);
	char said[300];

	pst_strlcpy(said, sizeof(said), err->text);
	if (rc == 0 && !a->has_end)
		return pst_err_set(err, PST_EPROTO, "%s ended before it had answered", host);
	if (rc == PST_EIO && a->has_end)
		return pst_err_set(err, PST_EIO, "\"%s\" on %s failed with status %d: %s", a->step, host, a->status, said);
	if (rc == PST_EIO)
		return strstr(said, host) ? rc : pst_err_set(err, PST_EIO, "the connection to %s broke: %s", host, said);
	return rc;
}

int exec_script(struct remote *r, struct script *sc, const struct call *call, struct pst_buf *text, struct answer *ret, struct pst_err *err)
{
	const char *script = script_end(sc);
	struct pst_err why = PST_ERR_INIT;
	int rc, parsed;

	pst_buf_init(text, ANSWER_MAX);
	memset(ret, 0, sizeof(*ret));
	if (!script) {
		script_finish(sc);
		return pst_err_set(err, PST_ELIMIT, "the commands are too long for a script");
	}
	rc = remote_run(r, script, call->end_ms, call->cancel_fd, text, &why);
	script_finish(sc);
	parsed = answer_parse((const char *)text->data, text->len, ret, err);
	if (rc < 0)
		*err = why;
	return rc == 0 && parsed < 0 ? parsed : answer_check(r, ret, rc, err);
}

int exec_steps(struct remote *r, struct script *sc, const struct call *call, struct pst_err *err)
{
	struct pst_buf text;
	struct answer a;
	int rc = exec_script(r, sc, call, &text, &a, err);

	answer_finish(&a);
	pst_buf_finish(&text);
	return rc;
}
