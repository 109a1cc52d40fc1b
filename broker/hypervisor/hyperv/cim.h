/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CIM objects as WS-Management carries them: references (DSP0226, 5.1.2: endpoint references with selectors), and
 * instances within an argument (DSP0201: INSTANCE and PROPERTY, as text). Pure.
 */
#pragma once

#include "broker/hypervisor/vsphere/soap.h"

#define CIM_BASE "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
#define CIM_V2 "root/virtualization/v2"
#define CIM_CIMV2 "root/cimv2"
#define CIM_KEYS_MAX 4
#define CIM_CLASS_SIZE 64
#define CIM_VALUE_SIZE 320

struct cim_key {
	char name[32];
	char value[CIM_VALUE_SIZE];
};

struct cim_ref {
	const char *space; /* CIM_V2 or CIM_CIMV2 */
	char cls[CIM_CLASS_SIZE];
	struct cim_key keys[CIM_KEYS_MAX];
	size_t keys_n;
};

/* Of CIM_V2; keys are added, a longer value is cut and so matches nothing. */
struct cim_ref cim_ref(const char *cls);
void cim_key_add(struct cim_ref *r, const char *name, const char *value);
/* NULL when it has none of that name. */
const char *cim_key(const struct cim_ref *r, const char *name);

/* The class's resource URI. */
void cim_put_uri(struct pst_buf *b, const struct cim_ref *r);
/* <w:SelectorSet>; nothing without keys. */
void cim_put_selectors(struct pst_buf *b, const struct cim_ref *r);
/* An argument of a method: <p:NAME> with a reference. */
void cim_put_ref(struct pst_buf *b, const char *name, const struct cim_ref *r);
/* PST_EPROTO when the element is none. */
int cim_ref_read(const struct soap_node *n, struct cim_ref *ret, struct pst_err *err);
/* "\\.\root\virtualization\v2:CLASS.KEY="VALUE"", as properties name other objects. */
void cim_path(const struct cim_ref *r, char *out, size_t size);

/* An argument that is an instance: begin, properties, end. inner is begun and finished here. */
void cim_begin(struct pst_buf *inner, const char *cls);
void cim_put(struct pst_buf *inner, const char *name, const char *type, const char *value);
void cim_put_number(struct pst_buf *inner, const char *name, const char *type, uint64_t value);
/* An array of one string. */
void cim_put_array(struct pst_buf *inner, const char *name, const char *value);
void cim_end(struct pst_buf *inner, struct pst_buf *args, const char *name);

/* A string of WQL: \ and ' escaped. False when it does not fit. */
bool cim_wql(const char *text, char *out, size_t size);
