/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the file of seats. */
#include "broker/hypervisor/hosts/seats.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 512

static const struct {
	const char *word;
	uint16_t port;
} protocols[] = {
	[SEAT_AGENT] = { "agent", 5910 },
	[SEAT_VNC] = { "vnc", 5900 },
	[SEAT_RDP] = { "rdp", 3389 },
	[SEAT_SSH] = { "ssh", 22 },
};

const char *seat_protocol_name(enum seat_protocol p)
{
	return protocols[p].word;
}

/* Each address has one text here: two for one seat would lend it twice. */
static int address_read(char out[SEAT_ADDRESS_SIZE], const char *value, struct pst_err *err)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET6, value, &six) == 1 && !IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET6, &six, out, SEAT_ADDRESS_SIZE) ? 0 : pst_err_set(err, PST_EINVAL, "too long");
	if (inet_pton(AF_INET6, value, &six) == 1)
		memcpy(&four, six.s6_addr + 12, sizeof(four));
	else if (inet_pton(AF_INET, value, &four) != 1)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" is no numeric address", value);
	return inet_ntop(AF_INET, &four, out, SEAT_ADDRESS_SIZE) ? 0 : pst_err_set(err, PST_EINVAL, "too long");
}

/* "52:54:00:12:34:56", with ':' or '-': the number of bytes, 0 for anything else. */
static size_t bytes_read(const char *value, uint8_t out[6])
{
	size_t n = 0;

	for (; n < 6; n++) {
		if (pst_hex_decode(value, PST_MIN(strlen(value), (size_t)2), &out[n], 1) != 1)
			return 0;
		value += 2;
		if (*value == '\0')
			return n + 1;
		if (*value != ':' && *value != '-')
			return 0;
		value++;
	}
	return 0;
}

static int on_address(struct seat *s, const char *value, struct pst_err *err)
{
	return address_read(s->address, value, err);
}

static int on_wake(struct seat *s, const char *value, struct pst_err *err)
{
	return address_read(s->wake, value, err);
}

static int on_protocol(struct seat *s, const char *value, struct pst_err *err)
{
	for (size_t i = 0; i < SEAT_SSH; i++) {
		if (strcmp(protocols[i].word, value) == 0) {
			s->protocol = (enum seat_protocol)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "\"%.40s\" is not agent, vnc or rdp", value);
}

static int on_port(struct seat *s, const char *value, struct pst_err *err)
{
	uint32_t port;

	if (pst_parse_u32(value, 1, 65535, &port) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.40s\" is no port", value);
	s->port = (uint16_t)port;
	return 0;
}

static int on_mac(struct seat *s, const char *value, struct pst_err *err)
{
	s->has_mac = bytes_read(value, s->mac) == 6;
	return s->has_mac ? 0 : pst_err_set(err, PST_EINVAL, "\"%.40s\" is no MAC address", value);
}

static int on_secureon(struct seat *s, const char *value, struct pst_err *err)
{
	s->secureon_len = (uint8_t)bytes_read(value, s->secureon);
	return s->secureon_len == 4 || s->secureon_len == 6 ? 0 :
		pst_err_set(err, PST_EINVAL, "a SecureOn password has 4 or 6 bytes, written as a MAC address is");
}

static int on_fingerprint(struct seat *s, const char *value, struct pst_err *err)
{
	return rdp_pin_read(value, s->pin, err);
}

static int on_login(struct seat *s, const char *value, struct pst_err *err)
{
	if (strcmp(value, "ask") != 0 && strcmp(value, "fixed") != 0)
		return pst_err_set(err, PST_EINVAL, "\"%.40s\" is not ask or fixed", value);
	return pst_strlcpy(s->login, sizeof(s->login), value);
}

static int on_name(struct seat *s, const char *value, struct pst_err *err)
{
	return pst_strlcpy(s->host, sizeof(s->host), value) < 0 ? pst_err_set(err, PST_EINVAL, "longer than 255 letters") : 0;
}

static const struct {
	const char *key;
	int (*read)(struct seat *s, const char *value, struct pst_err *err);
} fields[] = {
	{ "address", on_address }, { "protocol", on_protocol }, { "port", on_port }, { "mac", on_mac }, { "secureon", on_secureon }, { "wake", on_wake },
	{ "fingerprint", on_fingerprint }, { "login", on_login }, { "name", on_name },
};

static int field_read(struct seat *s, char *word, struct pst_err *err)
{
	char *value = strchr(word, '=');

	if (!value)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" is no KEY=VALUE", word);
	*value++ = '\0';
	for (size_t i = 0; i < PST_ARRAY_LEN(fields); i++) {
		if (strcmp(fields[i].key, word) == 0)
			return fields[i].read(s, value, err) < 0 ? pst_err_wrap(err, "%s", word) : 0;
	}
	return pst_err_set(err, PST_EINVAL, "\"%.40s\" is none of address, protocol, port, mac, secureon, wake, fingerprint, login and name", word);
}

/* It names a file. */
static int name_read(struct seat *s, const char *word, struct pst_err *err)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (word[n] || word[0] == '.' || word[0] == '-' || pst_strlcpy(s->name, sizeof(s->name), word) < 0)
		return pst_err_set(err, PST_EINVAL, "a seat's name \"%.60s\" has letters, digits, '.', '_' and '-', at most %d", word, MACHINE_NAME_SIZE - 1);
	return 0;
}

/* line is cut into its words. */
static int line_read(struct seat *s, char *line, struct pst_err *err)
{
	char *rest = line, *word = strtok_r(line, " \t\r", &rest);

	memset(s, 0, sizeof(*s));
	if (name_read(s, word, err) < 0)
		return err->code;
	while ((word = strtok_r(NULL, " \t\r", &rest))) {
		if (field_read(s, word, err) < 0)
			return pst_err_wrap(err, "%s", s->name);
	}
	if (s->address[0] == '\0')
		return pst_err_set(err, PST_EINVAL, "%s: address=… is missing", s->name);
	if (s->port == 0)
		s->port = protocols[s->protocol].port;
	return 0;
}

/* Two names for one seat would lend it twice. */
static int twins_check(const struct seats *all, const struct seat *s, struct pst_err *err)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct seat *o = &all->list[i];

		if (strcmp(o->name, s->name) == 0)
			return pst_err_set(err, PST_EINVAL, "%s is there twice", s->name);
		if (o->port == s->port && strcmp(o->address, s->address) == 0)
			return pst_err_set(err, PST_EINVAL, "%s has the address and port of %s", s->name, o->name);
	}
	return 0;
}

static int line_add(struct seats *all, const char *text, size_t len, struct pst_err *err)
{
	char line[LINE_SIZE];
	struct seat s;

	if (len >= sizeof(line))
		return pst_err_set(err, PST_EINVAL, "longer than %d bytes", LINE_SIZE - 1);
	memcpy(line, text, len);
	line[len] = '\0';
	if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
		return 0;
	if (all->n == SEATS_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d seats", SEATS_MAX);
	if (line_read(&s, line, err) < 0 || twins_check(all, &s, err) < 0)
		return err->code;
	all->list[all->n++] = s;
	return 0;
}

int seats_parse(const char *text, struct seats *ret, struct pst_err *err)
{
	struct seats all = { .list = pst_zalloc(SEATS_MAX, sizeof(*all.list)) };
	unsigned number = 0;

	if (!all.list)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	while (*text) {
		size_t len = strcspn(text, "\n");

		number++;
		if (line_add(&all, text, len, err) < 0) {
			pst_err_wrap(err, "line %u", number);
			seats_finish(&all);
			return err->code;
		}
		text += len + (text[len] == '\n');
	}
	*ret = all;
	return 0;
}

int seats_load(const char *path, struct seats *ret, struct pst_err *err)
{
	size_t len;
	char *text;
	int rc;

	/* No file is no news of anybody's desktop. */
	rc = pst_file_read(path, SEATS_BYTES_MAX, &text, &len, err);
	if (rc < 0)
		return rc == PST_ENOTFOUND ? pst_err_set(err, PST_EIO, "there is no list of seats %s", path) : rc;
	rc = strlen(text) == len ? seats_parse(text, ret, err) : pst_err_set(err, PST_EINVAL, "it is no text");
	free(text);
	return rc < 0 ? pst_err_wrap(err, "%s", path) : 0;
}

void seats_finish(struct seats *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

const struct seat *seats_find(const struct seats *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	}
	return NULL;
}
