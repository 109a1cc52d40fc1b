/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses below prefixes. */
#include "protocol/gate/network.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define WORD_SIZE 64
#define BLANKS " \t,"

struct network {
	int family;
	uint8_t bytes[16];
	uint32_t bits;
};

static int parse_address(const char *text, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, bytes) == 1 ? AF_INET6 : 0;
}

static bool parse_network(const char *word, size_t len, struct network *n)
{
	char text[WORD_SIZE], *slash;

	if (len >= sizeof(text))
		return false;
	memcpy(text, word, len);
	text[len] = '\0';
	slash = strchr(text, '/');
	if (!slash)
		return false;
	*slash = '\0';
	n->family = parse_address(text, n->bytes);
	return n->family && pst_parse_u32(slash + 1, 0, n->family == AF_INET ? 32 : 128, &n->bits) == 0;
}

int network_list_check(const char *list, struct pst_err *err)
{
	struct network n;

	for (list += strspn(list, BLANKS); *list; list += strspn(list, BLANKS)) {
		size_t len = strcspn(list, BLANKS);

		if (!parse_network(list, len, &n))
			return pst_err_set(err, PST_EINVAL, "\"%.*s\" is no network such as 10.1.0.0/16", (int)(len < 60 ? len : 60), list);
		list += len;
	}
	return 0;
}

static bool is_within(const struct network *n, const uint8_t bytes[16])
{
	size_t whole = n->bits / 8, rest = n->bits % 8;

	if (memcmp(n->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || ((n->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

bool network_list_has(const char *list, const char *address)
{
	uint8_t bytes[16] = { 0 };
	int family = parse_address(address, bytes);
	struct network n;

	for (list += strspn(list, BLANKS); family && *list; list += strspn(list, BLANKS)) {
		size_t len = strcspn(list, BLANKS);

		if (parse_network(list, len, &n) && n.family == family && is_within(&n, bytes))
			return true;
		list += len;
	}
	return false;
}
