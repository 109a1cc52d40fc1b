/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tickets for further viewers of a session that goes on. They change nothing of it: no row, no epoch.
 */
#include "broker/reconciler_guests.h"

#include "base/hash.h"
#include "base/secret.h"
#include "broker/reconciler_priv.h"
#include "db/guest.h"
#include "db/pool.h"

#include <string.h>

/* The desktop whose present session this is, when a browser is connected to it. */
static const struct core_desktop *find_live(const struct reconciler *r, const char *session)
{
	const struct core_desktop *d = state_desktop_of_session(&r->st, session);

	return d && d->s.active && d->s.protocol == PROTOCOL_WS ? d : NULL;
}

int reconciler_guest_ticket(
	struct reconciler *r, const struct guest_request *req, char ret_ticket[44], struct pst_err *err)
{
	struct db_guest row = { .can_input = req->can_input };
	struct core_now now;
	char token[44];
	int rc;

	if (!find_live(r, req->session))
		return pst_err_set(err, PST_ECONFLICT, "the session is over, or not in a browser");
	reconciler_now(r, &now);
	pst_token(token, 32);
	pst_sha256(token, strlen(token), row.hash);
	CORE_COPY(row.session_id, req->session);
	CORE_COPY(row.user_id, req->user_id);
	CORE_COPY(row.name, req->name);
	CORE_COPY(row.boot, r->boot);
	row.expires_mono = now.mono_ms + TICKET_MS;
	row.created = now.wall_ms;
	rc = db_guest_insert(r->db, &row, err);
	if (rc == 0)
		memcpy(ret_ticket, token, sizeof(token));
	pst_wipe(token, sizeof(token));
	return rc;
}

/* The setting may have changed since the ticket was given. */
static bool may_watch(struct reconciler *r, const char *pool_id)
{
	struct pool_row pool;

	return db_pool_get(r->db, pool_id, &pool, NULL) == 0 && strcmp(pool.watching, "announced") == 0;
}

int reconciler_guest_redeem(
	struct reconciler *r, const char *ticket, struct guest_grant *ret, struct pst_err *err)
{
	const struct core_desktop *d;
	struct db_guest row;
	struct core_now now;
	uint8_t hash[PST_SHA256_LEN];
	int rc;

	pst_sha256(ticket, strlen(ticket), hash);
	rc = db_guest_take(r->db, hash, &row, err);
	if (rc < 0)
		return rc;
	reconciler_now(r, &now);
	if (row.expires_mono <= now.mono_ms || strcmp(row.boot, r->boot) != 0)
		return pst_err_set(
			err, PST_EDENIED, "the ticket is not valid, or was used before: connect again");
	d = find_live(r, row.session_id);
	if (!d || (!row.can_input && !may_watch(r, d->pool_id)))
		return pst_err_set(err, PST_EDENIED, "the session is over, or may not be watched");
	r->ids.uuid(r->ids.arg, ret->id);
	CORE_COPY(ret->session, row.session_id);
	CORE_COPY(ret->user_id, row.user_id);
	CORE_COPY(ret->name, row.name);
	ret->can_input = row.can_input;
	return 0;
}
