/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is escaped comes back, and what is damaged gives nothing. */
#include "broker/hypervisor/libvirt/xml.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(xml, text_comes_back_as_it_went)
{
	static const char text[] = "{\"a\":\"<b> & 'c'\"}\ttab \xc3\xb1";
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	pst_buf_put_str(&b, "<?xml version='1.0'?><!-- < --><x y='>'>");
	xml_put_text(&b, text);
	pst_buf_put_str(&b, "</x>");
	cr_assert_null(strstr(pst_buf_cstr(&b), "<b>"));
	char *back = xml_root_text(pst_buf_cstr(&b), 200);
	cr_assert_str_eq(back, text);
	free(back);
	cr_assert_null(xml_root_text(pst_buf_cstr(&b), 10), "above the ceiling");
	pst_buf_finish(&b);
}

Test(xml, damage_gives_nothing)
{
	static const char *const bad[] = { "", "<", "<a", "<a>", "<a/>", "<a>b", "<a><b/></a>", "<a>&unknown;</a>", "<a>&#0;</a>",
		"<a>&#x110000;</a>", "<a b='>", "<?xml", "<!--" };

	for (size_t i = 0; i < PST_ARRAY_LEN(bad); i++)
		cr_assert_null(xml_root_text(bad[i], 100), "%s", bad[i]);
	char *text = xml_root_text("<a>&#65;&#x42;</a>", 100);
	cr_assert_str_eq(text, "AB");
	free(text);
}

Test(xml, values_are_picked_by_name)
{
	static const char doc[] = "<d><!-- <graphics type='no'/> --><graphicss/><graphics type='vnc' socket=\"/a&amp;b\">x</graphics><m> q35 </m></d>";
	const char *tag = xml_find(doc, "graphics");
	char out[16];

	cr_assert(xml_attribute(tag, "type", out, sizeof(out)));
	cr_assert_str_eq(out, "vnc");
	cr_assert(xml_attribute(tag, "socket", out, sizeof(out)));
	cr_assert_str_eq(out, "/a&b");
	cr_assert(!xml_attribute(tag, "port", out, sizeof(out)));
	cr_assert(!xml_attribute(tag, "socket", out, 4), "too long");
	cr_assert(xml_text(tag, out, sizeof(out)));
	cr_assert_str_eq(out, "x");
	cr_assert(xml_text(xml_find(doc, "m"), out, sizeof(out)));
	cr_assert_null(xml_find(doc, "nothing"));
	cr_assert(!xml_attribute("<a b", "b", out, sizeof(out)));
	cr_assert(!xml_attribute("<a b='", "b", out, sizeof(out)));
}
