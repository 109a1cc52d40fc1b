/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules turn a layout into component names (libxkbfile); the X server makes a keyboard of them. */
#include "agent/inject/layout.h"

#include <X11/XKBlib.h>
#include <X11/extensions/XKBrules.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/link/input.h"

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

static bool part_copy(const char *from, size_t n, char *to, size_t size)
{
	if (n == 0 || n >= size || from[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_char(from[i]))
			return false;
	memcpy(to, from, n);
	to[n] = 0;
	return true;
}

bool layout_split(const char *name, char *layout, char *variant, size_t size)
{
	size_t n = strcspn(name, "(");

	variant[0] = 0;
	if (!part_copy(name, n, layout, size))
		return false;
	if (name[n] == 0)
		return true;
	size_t m = strcspn(name + n + 1, ")");
	return strcmp(name + n + 1 + m, ")") == 0 && part_copy(name + n + 1, m, variant, size);
}

static void components_free(XkbComponentNamesRec *names)
{
	free(names->keymap);
	free(names->keycodes);
	free(names->types);
	free(names->compat);
	free(names->symbols);
	free(names->geometry);
}

/* Rules give names for layouts that do not exist, too: only the server's compiler knows. It answers NULL
 * then. */
static bool server_load(struct x11 *x, XkbComponentNamesRec *names)
{
	const unsigned need =
		XkbGBN_TypesMask | XkbGBN_CompatMapMask | XkbGBN_ClientSymbolsMask | XkbGBN_KeyNamesMask;

	x11_try_begin(x);
	XkbDescPtr xkb = XkbGetKeyboardByName(
		x->dpy, XkbUseCoreKbd, names, XkbGBN_AllComponentsMask & ~XkbGBN_GeometryMask, need, True);
	int error = x11_try_end(x);
	if (xkb)
		XkbFreeKeyboard(xkb, XkbAllComponentsMask, True);
	return xkb && error == 0;
}

int layout_load(struct x11 *x, const char *name, struct pst_err *err)
{
	char layout[INPUT_LAYOUT_MAX], variant[INPUT_LAYOUT_MAX], path[] = LAYOUT_RULES_DIR "/evdev",
								  locale[] = "C", model[] = "pc105";
	XkbRF_VarDefsRec defs = { .model = model, .layout = layout };
	XkbComponentNamesRec names = { 0 };

	if (!layout_split(name, layout, variant, sizeof(layout)))
		return pst_err_set(err, PST_EINVAL, "a keyboard layout has a malformed name");
	defs.variant = variant[0] ? variant : NULL;
	XkbRF_RulesPtr rules = XkbRF_Load(path, locale, True, True);
	if (!rules)
		return pst_err_set(err, PST_ENOTFOUND, "%s cannot be read: install xkb-data", path);

	bool is_known = XkbRF_GetComponents(rules, &defs, &names) && server_load(x, &names);
	components_free(&names);
	XkbRF_Free(rules, True);
	if (!is_known)
		return pst_err_set(err, PST_EINVAL, "the X server knows no keyboard layout %s", name);

	char rules_name[] = "evdev";
	XkbRF_SetNamesProp(x->dpy, rules_name, &defs);
	return 0;
}
