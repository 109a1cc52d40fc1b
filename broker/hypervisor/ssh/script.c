/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts scripts together, for a POSIX shell (POSIX.1-2017, XCU 2). */
#include "broker/hypervisor/ssh/script.h"

#include "base/secret.h"

#define SCRIPT_MAX (512u << 10)

/*
 * The shell reads a "{ }" whole before it runs any of it. The subshell waits for the end of stdin, which is that of the
 * connection, and takes the process group along: sshd has made one for this session.
 */
static const char *const head =
	"{\n"
	"umask 077\n"
	"PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C; export PATH LC_ALL\n"
	"exec 3<&0 </dev/null\n"
	"(trap '' TERM HUP; read -r pst_line <&3; kill -TERM 0; sleep 2; kill -KILL 0) >/dev/null 2>&1 &\n"
	"pst_watch=$! pst_held=\n"
	"exec 3<&-\n"
	"pst_end() {\n"
	"	pst_status=$1\n"
	"	[ -z \"$pst_held\" ] || rm -rf \"$pst_file.lock\" \"$pst_file.seed\"\n"
	"	kill -KILL $pst_watch 2>/dev/null\n"
	"	printf '\\n@end %d %s\\n' \"$pst_status\" \"$2\"\n"
	"	exit \"$pst_status\"\n"
	"}\n"
	"pst_put() {\n"
	"	printf '%s\\n' \"$pst_record\" >\"$pst_file.new\" && mv -f \"$pst_file.new\" \"$pst_file.json\"\n"
	"}\n";

/*
 * Who held it and is gone leaves it behind. On a full disk it cannot be made, and nothing shall fail for that.
 */
static const char *const lock =
	"pst_n=0\n"
	"until mkdir \"$pst_file.lock\" 2>/dev/null; do\n"
	"	[ -d \"$pst_file.lock\" ] || break\n"
	"	pst_pid=$(cat \"$pst_file.lock/pid\" 2>/dev/null) pst_n=$((pst_n + 1))\n"
	"	case $(ps -o args= -p \"${pst_pid:-0}\" 2>/dev/null) in\n"
	"	*'sh -s'*) sleep 0.2 2>/dev/null || sleep 1; continue ;;\n"
	"	esac\n"
	"	if [ -z \"$pst_pid\" ] && [ $pst_n -lt 5 ]; then sleep 0.2 2>/dev/null || sleep 1; continue; fi\n"
	"	rm -rf \"$pst_file.lock\"\n"
	"done\n"
	"pst_held=1\n"
	"echo $$ 2>/dev/null >\"$pst_file.lock/pid\"\n"
	"rm -f \"$pst_file.seed\" \"$pst_file.new\"\n";

static const char *const all =
	"pst_n=0\n"
	"until\n"
	"	echo @records\n"
	"	[ ! -d \"$pst_dir\" ] || find \"$pst_dir\" -name '*.json' -exec cat {} +\n"
	"do\n"
	"	pst_n=$((pst_n + 1))\n"
	"	[ $pst_n -lt 3 ] || pst_end 1 records\n"
	"done\n";

void script_begin(struct script *s, const char *dir, const char *desktop)
{
	pst_buf_init(&s->text, SCRIPT_MAX);
	s->has_seed = false;
	pst_buf_put_str(&s->text, head);
	pst_buf_put_str(&s->text, "pst_dir=");
	template_quote(&s->text, dir);
	pst_buf_put_str(&s->text, "\n");
	script_value(s, TEMPLATE_DESKTOP, desktop);
	pst_buf_put_str(&s->text, "pst_file=$pst_dir/$pst_desktop\npst_seed=$pst_file.seed\n");
}

void script_value(struct script *s, enum template_name name, const char *value)
{
	template_assign(&s->text, name, value);
}

void script_lock(struct script *s, bool makes)
{
	if (makes)
		pst_buf_put_str(&s->text, "mkdir -p \"$pst_dir\" || pst_end $? directory\n");
	pst_buf_put_str(&s->text, lock);
}

void script_seed(struct script *s, const char *text)
{
	s->has_seed = text != NULL;
	if (!text)
		return;
	pst_buf_put_str(&s->text, "pst_seed_text=");
	template_quote(&s->text, text);
	pst_buf_put_str(&s->text, "\n");
}

static void step_put(struct script *s, const char *compiled)
{
	if (template_uses(compiled, TEMPLATE_SEED))
		pst_buf_put_str(&s->text, s->has_seed ? "printf '%s' \"$pst_seed_text\" >\"$pst_seed\" || pst_end $? seed\n" : ": >\"$pst_seed\"\n");
	if (s->has_seed)
		pst_buf_put_str(&s->text, "printf '%s' \"$pst_seed_text\" | ");
	pst_buf_printf(&s->text, "(umask 022\n%s\n) >&2", compiled);
}

void script_run(struct script *s, const char *step, const char *compiled)
{
	step_put(s, compiled);
	pst_buf_printf(&s->text, " || pst_end $? %s\n", step);
}

void script_try(struct script *s, const char *compiled)
{
	step_put(s, compiled);
	pst_buf_put_str(&s->text, " || :\n");
}

void script_put(struct script *s, const char *record)
{
	pst_buf_put_str(&s->text, "pst_record=");
	template_quote(&s->text, record);
	pst_buf_put_str(&s->text, "\npst_put || pst_end $? record\n");
}

void script_forget(struct script *s)
{
	pst_buf_put_str(&s->text, "rm -f \"$pst_file.json\" || pst_end $? record\n");
}

void script_print(struct script *s, const char *list)
{
	/* Records first: what is made meanwhile has a machine too many, not one too few. */
	pst_buf_put_str(&s->text,
		"if [ -n \"$pst_desktop\" ]; then\n"
		"	echo @records\n"
		"	[ ! -f \"$pst_file.json\" ] || cat \"$pst_file.json\" || pst_end $? records\n"
		"else\n");
	pst_buf_put_str(&s->text, all);
	pst_buf_printf(&s->text, "fi\necho @machines\n(umask 022\n%s\n) || pst_end $? list\n", list);
}

const char *script_end(struct script *s)
{
	pst_buf_put_str(&s->text, "pst_end 0 done\n}\n");
	return s->text.failed ? NULL : pst_buf_cstr(&s->text);
}

void script_finish(struct script *s)
{
	if (s->text.data)
		pst_wipe(s->text.data, s->text.cap);
	pst_buf_finish(&s->text);
}
