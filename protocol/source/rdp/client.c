/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The thread: connects, then turns until one side ends it. */
#include "protocol/source/rdp/client.h"

#include <errno.h>
#include <fcntl.h>
#include <freerdp/addin.h>
#include <freerdp/client/channels.h>
#include <freerdp/gdi/gdi.h>
#include <freerdp/input.h>
#include <freerdp/primitives.h>
#include <freerdp/transport_io.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <winpr/ssl.h>
#include <winpr/synch.h>
#include <winpr/wlog.h>

#include "base/mem.h"
#include "protocol/source/rdp/client_priv.h"
#include "protocol/source/rdp/trust.h"
#include "protocol/source/rdp/words.h"

#define HANDLES_MAX MAXIMUM_WAIT_OBJECTS
#define GOODBYE_MS 300 /* for a disconnect in the protocol's own words */

void rdp_client_prepare(void)
{
	/* A process of the gateway's has no environment, and the library's settings want a home; nothing is read or written there. */
	(void)setenv("HOME", "/nonexistent", 0);
	WLog_SetLogLevel(WLog_GetRoot(), WLOG_OFF); /* a hostile server writes no logs of ours */
	primitives_set_hints(PRIMITIVES_ONLY_CPU); /* or it measures for half a second which are the fastest */
	winpr_InitializeSSL(WINPR_SSL_INIT_DEFAULT);
	freerdp_register_addin_provider(freerdp_channels_load_static_addin_entry, 0);
}

void rdp_client_fail(struct rdp_client *c, int code, const char *words)
{
	if (!c->trouble.code)
		pst_err_set(&c->trouble, code, "%s", words);
	freerdp_abort_connect_context(c->instance->context);
}

/* --- FreeRDP asks ---------------------------------------------------------------------------- */

/* The one connection there is. A server that sends us elsewhere, or wants us to begin anew, is refused. */
static int on_tcp_connect(rdpContext *context, rdpSettings *settings, const char *host, int port, DWORD timeout)
{
	struct rdp_client *c = rdp_client_of(context);
	int fd = c->fd;

	c->fd = -1;
	if (fd < 0)
		freerdp_set_last_error_if_not(context, c->begins > 1 ? FREERDP_ERROR_CONNECT_TRANSPORT_FAILED : FREERDP_ERROR_SECURITY_NEGO_CONNECT_FAILED);
	return fd;
}

static int on_certificate(freerdp *instance, const BYTE *pem, size_t len, const char *host, UINT16 port, DWORD flags)
{
	struct rdp_client *c = rdp_client_of(instance->context);

	return rdp_trust_check(&c->account, (const char *)pem, len, &c->trouble) == 0 ? 1 : -1;
}

/* What there is was in the settings. Without: an empty name, and the server asks on its screen. */
static BOOL on_authenticate(freerdp *instance, char **user, char **password, char **domain, rdp_auth_reason reason)
{
	return reason == AUTH_TLS || (reason == AUTH_NLA && !rdp_client_of(instance->context)->account.asks);
}

static BOOL on_pre_connect(freerdp *instance)
{
	rdp_client_of(instance->context)->begins++;
	return TRUE;
}

static BOOL on_post_connect(freerdp *instance)
{
	struct rdp_client *c = rdp_client_of(instance->context);

	if (!rdp_picture_begin(c))
		return FALSE;
	rdp_pointer_register(instance->context);
	c->typing.has_unicode = freerdp_settings_get_bool(instance->context->settings, FreeRDP_UnicodeInput);
	return TRUE;
}

static void on_post_disconnect(freerdp *instance)
{
	gdi_free(instance);
}

/* --- orders ---------------------------------------------------------------------------------- */

static void on_stroke(void *arg, const struct rdp_stroke *s)
{
	rdpInput *input = ((struct rdp_client *)arg)->instance->context->input;

	switch (s->kind) {
	case RDP_STROKE_SCAN:
		freerdp_input_send_keyboard_event(input, s->flags, (UINT8)s->code);
		break;
	case RDP_STROKE_UNICODE:
		freerdp_input_send_unicode_keyboard_event(input, s->flags, s->code);
		break;
	case RDP_STROKE_MOUSE:
		freerdp_input_send_mouse_event(input, s->flags, s->x, s->y);
		break;
	case RDP_STROKE_EXTENDED_MOUSE:
		freerdp_input_send_extended_mouse_event(input, s->flags, s->x, s->y);
		break;
	case RDP_STROKE_SYNC:
		freerdp_input_send_synchronize_event(input, s->flags);
		break;
	}
}

static void obey(struct rdp_client *c)
{
	struct rdp_orders o;

	rdp_orders_take(c->box, &o);
	c->is_stopping |= o.stops;
	c->has_credit |= o.is_ready;
	for (size_t i = 0; i < o.n; i++)
		rdp_typing_event(&c->typing, &o.input[i]);
	if (o.width > 0) {
		c->width = o.width;
		c->height = o.height;
		rdp_channels_resize(c);
	}
	if (o.clipboard.utf8)
		rdp_clipboard_offer(c, &o.clipboard);
	rdp_orders_finish(&o);
}

/* --- the thread ------------------------------------------------------------------------------ */

/* False: it is over. */
static bool turn(struct rdp_client *c)
{
	rdpContext *context = c->instance->context;
	HANDLE handles[HANDLES_MAX] = { c->wake };
	DWORD n = freerdp_get_event_handles(context, handles + 1, HANDLES_MAX - 1);

	if (n == 0 || WaitForMultipleObjects(n + 1, handles, FALSE, INFINITE) == WAIT_FAILED)
		return false;
	ResetEvent(c->wake);
	obey(c);
	if (c->is_stopping || !freerdp_check_event_handles(context) || freerdp_shall_disconnect_context(context))
		return false;
	rdp_picture_deliver(c);
	return !c->trouble.code;
}

static void tell_end(struct rdp_client *c, uint32_t last_error)
{
	struct rdp_reason why = rdp_reason_of(last_error, freerdp_error_info(c->instance), c->is_shown);

	if (c->trouble.code)
		rdp_news_end(c->box, c->trouble.code, c->trouble.text);
	else
		rdp_news_end(c->box, why.code, why.words);
}

static void *thread_main(void *arg)
{
	static const struct input_event release = { .kind = INPUT_RELEASE_ALL };
	struct rdp_client *c = arg;
	uint32_t last_error;

	if (!freerdp_connect(c->instance)) {
		tell_end(c, freerdp_get_last_error(c->instance->context));
		return NULL;
	}
	rdp_picture_deliver(c);
	while (turn(c))
		;
	last_error = freerdp_get_last_error(c->instance->context);
	if (c->is_stopping)
		rdp_typing_event(&c->typing, &release);
	tell_end(c, last_error);
	freerdp_disconnect(c->instance);
	return NULL;
}

static bool instance_fill(struct rdp_client *c, const char *layout)
{
	freerdp *f = c->instance;
	rdpTransportIo io;

	f->LoadChannels = rdp_channels_load;
	f->PreConnect = on_pre_connect;
	f->PostConnect = on_post_connect;
	f->PostDisconnect = on_post_disconnect;
	f->VerifyX509Certificate = on_certificate;
	f->AuthenticateEx = on_authenticate;
	rdp_channels_register(f->context);
	io = *freerdp_get_io_callbacks(f->context);
	io.TCPConnect = on_tcp_connect;
	return freerdp_set_io_callbacks(f->context, &io) && rdp_settings_fill(f->context->settings, c, layout);
}

static bool instance_create(struct rdp_client *c, const char *layout)
{
	c->wake = CreateEvent(NULL, TRUE, FALSE, NULL);
	c->instance = freerdp_new();
	if (!c->wake || !c->instance)
		return false;
	c->instance->ContextSize = sizeof(struct own_context);
	if (!freerdp_context_new(c->instance))
		return false;
	((struct own_context *)c->instance->context)->client = c;
	return instance_fill(c, layout);
}

static void client_free(struct rdp_client *c)
{
	if (c->instance) {
		freerdp_context_free(c->instance);
		freerdp_free(c->instance);
	}
	if (c->wake)
		CloseHandle(c->wake);
	if (c->spare >= 0)
		close(c->spare);
	free(c->text.utf8);
	free(c);
}

struct rdp_client *rdp_client_start(const struct rdp_client_params *p, struct pst_err *err)
{
	struct rdp_client *c = pst_zalloc(1, sizeof(*c));
	int on = 1;

	if (!c) {
		pst_err_set(err, PST_ENOMEM, "no memory for an RDP client");
		return NULL;
	}
	c->account = p->account;
	c->box = p->box;
	c->fd = p->fd;
	c->width = p->width;
	c->height = p->height;
	c->has_credit = true;
	c->typing = (struct rdp_typing){ .knows_layout = p->layout[0] != '\0', .stroke = on_stroke, .arg = c };
	c->spare = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
	setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->spare < 0 || !instance_create(c, p->layout) || pthread_create(&c->thread, NULL, thread_main, c) != 0) {
		pst_err_set(err, PST_ENOMEM, "the RDP library cannot begin");
		client_free(c);
		return NULL;
	}
	return c;
}

void rdp_client_ring(struct rdp_client *c)
{
	SetEvent(c->wake);
}

void rdp_client_stop(struct rdp_client *c)
{
	struct timespec until;

	if (!c)
		return;
	rdp_order_stop(c->box);
	SetEvent(c->wake);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += GOODBYE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	if (pthread_timedjoin_np(c->thread, NULL, &until) != 0) {
		freerdp_abort_connect_context(c->instance->context);
		shutdown(c->spare, SHUT_RDWR);
		pthread_join(c->thread, NULL);
	}
	rdp_account_finish(&c->account);
	client_free(c);
}
