/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The little of XML that libvirt's documents need here: escaped text out, and single values
 * back. It is no parser: what is looked for is found by its name, checked by who asked, and
 * everything else is skipped. Any thread.
 */
#pragma once

#include "base/buf.h"

#include <stddef.h>

/* With & < > " ' escaped; control characters but tab and newline are left out. Good within quotes too. */
void xml_put_text(struct pst_buf *b, const char *text);

/* The text of the root element, with entities resolved; at most max bytes. Returns owned, or NULL. */
char *xml_root_text(const char *xml, size_t max);

/*
 * The start of the next element of that name at or after from, or NULL. The result points at
 * its '<'; comments and CDATA are skipped.
 */
const char *xml_find(const char *from, const char *element);

/* An attribute of the element that starts at tag, or its text up to the next '<'. False without one, or when it is too long. */
bool xml_attribute(const char *tag, const char *name, char *out, size_t size);
bool xml_text(const char *tag, char *out, size_t size);
