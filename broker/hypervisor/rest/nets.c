/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads names of networks, and finds them again. */
#include "broker/hypervisor/rest/nets.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_own(const char *name)
{
	return !name[0] || strcmp(name, "host") == 0 || strcmp(name, "none") == 0;
}

static int net_add(struct nets *n, const struct driver_params *p, const char *name, struct pst_err *err)
{
	struct net_named *net = &n->list[n->n];
	char key[MACHINE_NAME_SIZE + 16];
	const char *value;

	if (n->n == NETS_MAX)
		return pst_err_set(err, PST_ELIMIT, "[%s] networks: more than %d", p->section, NETS_MAX);
	if (is_own(name) || pst_strlcpy(net->name, sizeof(net->name), name) < 0 ||
		name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")])
		return pst_err_set(err, PST_EINVAL, "[%s] networks: \"%.63s\" is no name of letters, digits and ._- (\"host\" and \"none\" are taken)",
			p->section, name);
	for (size_t i = 0; i < n->n; i++) {
		if (strcmp(n->list[i].name, name) == 0)
			return pst_err_set(err, PST_EINVAL, "[%s] networks: \"%s\" stands there twice", p->section, name);
	}
	snprintf(key, sizeof(key), "network-%s", name);
	if (pst_conf_need(p->conf, p->section, key, &value, err) < 0)
		return err->code;
	if (!value[0] || pst_strlcpy(net->value, sizeof(net->value), value) < 0)
		return pst_err_set(err, PST_EINVAL, "[%s] %s: is empty, or longer than %zu bytes", p->section, key, sizeof(net->value) - 1);
	n->n++;
	return 0;
}

int nets_read(struct nets *n, const struct driver_params *p, struct pst_err *err)
{
	char *copy = strdup(pst_conf_str(p->conf, p->section, "networks", "")), *rest = copy, *name;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	n->n = 0;
	while (rc == 0 && copy[0] && (name = strsep(&rest, ","))) {
		name += strspn(name, " \t");
		name[strcspn(name, " \t")] = '\0';
		rc = net_add(n, p, name, err);
	}
	free(copy);
	return rc;
}

int nets_find(const struct nets *n, const char *name, const struct net_named **ret, struct pst_err *err)
{
	*ret = NULL;
	if (is_own(name))
		return 0;
	for (size_t i = 0; i < n->n; i++) {
		if (strcmp(n->list[i].name, name) == 0) {
			*ret = &n->list[i];
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "there is no network \"%.60s\" in \"networks\": add it to the provider's section, or give the pool another", name);
}
