/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Machines that are there when their own RDP server answers, by the drivers' wrappers. */
#include "broker/hypervisor/answering.h"

#include "base/clock.h"
#include "base/text.h"
#include "broker/hypervisor/driver.h"
#include "tests/unit/hypervisor/contract.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const uint8_t confirm[] = { 3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0 };

/* A port that is taken, and listened at once somebody says so. */
struct server {
	int fd;
	uint16_t port;
	unsigned accepted;
	pthread_t thread;
};

static struct server s;

static void *serve(void *arg)
{
	uint8_t request[64];
	int fd;

	while ((fd = accept(s.fd, NULL, NULL)) >= 0) {
		s.accepted++;
		if (recv(fd, request, sizeof(request), 0) > 0)
			(void)send(fd, confirm, sizeof(confirm), MSG_NOSIGNAL);
		(void)recv(fd, request, 1, 0);
		close(fd);
	}
	return NULL;
}

static void server_bind(void)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(me);

	s.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s.fd, (struct sockaddr *)&me, sizeof(me)), 0);
	cr_assert_eq(getsockname(s.fd, (struct sockaddr *)&me, &size), 0);
	s.port = ntohs(me.sin_port);
}

static void server_begin(void)
{
	cr_assert_eq(listen(s.fd, 8), 0);
	cr_assert_eq(pthread_create(&s.thread, NULL, serve, NULL), 0);
}

static void server_end(void)
{
	shutdown(s.fd, SHUT_RDWR);
	pthread_join(s.thread, NULL);
	close(s.fd);
}

/* --- a driver with one machine, which has that server ------------------------------------------- */

struct one {
	struct driver base;
	bool is_there, has_agent;
	const char *desktop;
	unsigned ways;
};

static void endpoint(const struct one *o, struct machine_endpoint *ret)
{
	*ret = (struct machine_endpoint){ .kind = ENDPOINT_RDP, .port = s.port, .address = "127.0.0.1", .has_agent = o->has_agent };
}

static struct driver *one_open(const struct driver_params *p, struct pst_err *err)
{
	struct one *o = calloc(1, sizeof(*o));

	o->base.rdp_wait_ms = 300;
	return &o->base;
}

static int one_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err)
{
	struct one *o = (struct one *)d;

	o->is_there = true;
	endpoint(o, &ret->endpoint);
	return 0;
}

static int one_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err)
{
	return one_create(d, r, ret, err);
}

static int one_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	((struct one *)d)->is_there = false;
	return 0;
}

static int one_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err)
{
	return 0;
}

static int one_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	struct one *o = (struct one *)d;

	o->ways++;
	cr_assert_null(ret_account, "nobody comes in");
	endpoint(o, ret);
	return 0;
}

static void one_close(struct driver *d)
{
	free(d);
}

static const struct driver_type one_type = { .kind = "one", .open = one_open, .create = one_create, .restart = one_restart, .destroy = one_destroy,
	.power = one_power, .way = one_way, .close = one_close };

static struct one *open_one(struct machine_request *r)
{
	static const struct driver_params p = { .name = "lab" };
	struct pst_err err = PST_ERR_INIT;

	contract_request(r, "/images/demo/1");
	return (struct one *)driver_open(&one_type, &p, &err);
}

Test(answering, a_machine_is_made_when_its_server_answers, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct one *o = open_one(&r);
	struct machine m = { .uid = 7 };

	server_bind();
	cr_assert_eq(driver_create(&o->base, &r, &m, &err), PST_ETIMEOUT);
	cr_assert(strstr(err.text, "provider lab") && strstr(err.text, "rdp_wait_s"), "%s", err.text);
	cr_assert(!o->is_there, "a machine that nobody can use is not left");
	server_begin();
	o->base.rdp_wait_ms = 20000;
	err = (struct pst_err)PST_ERR_INIT;
	cr_assert_eq(driver_create(&o->base, &r, &m, &err), 0, "%s", err.text);
	cr_assert(o->is_there && m.endpoint.kind == ENDPOINT_RDP);
	cr_assert_eq(driver_restart(&o->base, &r, true, &m, &err), 0, "%s", err.text);
	cr_assert_eq(driver_power(&o->base, r.desktop, POWER_START, &err), 0, "%s", err.text);
	cr_assert_eq(o->ways, 1, "where it is was asked for");
	cr_assert_eq(driver_power(&o->base, r.desktop, POWER_STOP, &err), 0, "%s", err.text);
	cr_assert_eq(s.accepted, 3, "create, restart and start wait for it, and no other");
	server_end();
	driver_close(&o->base);
}

Test(answering, an_agent_s_word_is_waited_for_by_the_broker, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct one *o = open_one(&r);
	struct machine m;

	server_bind();
	o->has_agent = true;
	cr_assert_eq(driver_create(&o->base, &r, &m, &err), 0, "%s", err.text);
	o->has_agent = false;
	o->base.rdp_wait_ms = 0;
	cr_assert_eq(driver_create(&o->base, &r, &m, &err), 0, "it is not to be waited for: %s", err.text);
	close(s.fd);
	driver_close(&o->base);
}

static void *cancel(void *arg)
{
	struct one *o = arg;

	while (!__atomic_load_n(&o->is_there, __ATOMIC_ACQUIRE))
		sched_yield();
	/* It may be on its way to the wait still. */
	while (__atomic_load_n(&o->is_there, __ATOMIC_ACQUIRE) && !__atomic_load_n(&o->ways, __ATOMIC_ACQUIRE)) {
		driver_cancel(&o->base, o->desktop);
		usleep(1000);
	}
	return NULL;
}

Test(answering, a_wait_is_given_up, .timeout = 60)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct one *o = open_one(&r);
	struct machine m;
	pthread_t thread;

	server_bind();
	o->base.rdp_wait_ms = 3600000;
	o->desktop = r.desktop;
	cr_assert_eq(pthread_create(&thread, NULL, cancel, o), 0);
	cr_assert_eq(driver_create(&o->base, &r, &m, &err), PST_ECLOSED);
	__atomic_store_n(&o->ways, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	cr_assert(o->is_there, "as a crash would leave it");
	close(s.fd);
	driver_close(&o->base);
}

Test(answering, a_provider_without_such_machines_says_so)
{
	struct driver_type type = one_type;
	static const struct driver_params p = { .name = "lab" };
	struct pst_err err = PST_ERR_INIT;
	struct machine_request r;
	struct machine m;

	type.way = NULL;
	struct driver *d = driver_open(&type, &p, &err);
	d->rdp_wait_ms = 0;
	contract_request(&r, "/images/demo/1");
	cr_assert_eq(driver_create(d, &r, &m, &err), 0, "%s", err.text);
	r.is_windows = true;
	cr_assert_eq(driver_create(d, &r, &m, &err), PST_EUNSUPPORTED);
	cr_assert(strstr(err.text, "provider lab (one)"), "%s", err.text);
	driver_close(d);
}

Test(answering, an_address_that_is_none_is_told)
{
	struct machine_endpoint e = { .kind = ENDPOINT_RDP, .port = 3389 };
	struct pst_err err = PST_ERR_INIT;

	memset(e.address, '1', 200);
	cr_assert_eq(answering_await(&e, pst_mono_ms(), -1, &err), PST_EINVAL);
}
