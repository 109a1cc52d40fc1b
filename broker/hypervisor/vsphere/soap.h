/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Answers of a SOAP 1.1 server (https://www.w3.org/TR/2000/NOTE-SOAP-20000508/) as a tree, and the text of
 * calls. The server is not trusted: no document type (so no entities of its own), and ceilings of depth, nodes
 * and text. Names are local ones, without their namespace. Any thread.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOAP_DEPTH_MAX 96
#define SOAP_NODES_MAX 500000
#define SOAP_NAME_MAX 256 /* bytes of a name or a type */

/* Texts are never NULL. Everything lives as long as its soap. */
struct soap_node {
	const char *name;
	const char *type; /* xsi:type without its prefix, or "" */
	const char *kind; /* the attribute "type", of references to managed objects, or "" */
	const char *label; /* the attribute "Name", of selectors in WS-Management, or "" */
	const char *text; /* of a leaf */
	const struct soap_node *first, *next;
};

struct soap;

/* An envelope. Returns owned; NULL with err: PST_EPROTO, PST_ELIMIT, PST_ENOMEM. */
struct soap *soap_parse(const char *data, size_t len, struct pst_err *err);
/* Accepts NULL. */
void soap_destroy(struct soap *s);

/* The first element of its body. */
const struct soap_node *soap_body(const struct soap *s);
/* Is there a fault of that kind anywhere in it? Of properties it is told beside what could be read. */
bool soap_is_unauthenticated(const struct soap *s);

/* All of these take NULL for a node, and give NULL or "" where there is none. */
const struct soap_node *soap_child(const struct soap_node *n, const char *name);
/* "info.error.fault" */
const struct soap_node *soap_at(const struct soap_node *n, const char *path);
/* The next one of the same name beside it. */
const struct soap_node *soap_again(const struct soap_node *n);
const char *soap_text(const struct soap_node *n, const char *path);
bool soap_bool(const struct soap_node *n, const char *path);
uint64_t soap_u64(const struct soap_node *n, const char *path);

/* <name>text</name>, escaped. */
void soap_put(struct pst_buf *b, const char *name, const char *text);
void soap_put_u64(struct pst_buf *b, const char *name, uint64_t value);
/* Its start tag, with another name; the caller adds what is in it, and the end. */
void soap_put_open(struct pst_buf *b, const char *name, const struct soap_node *n);
/* The whole node as it came. */
void soap_put_node(struct pst_buf *b, const struct soap_node *n);
