/*
 * waits.h - the question who waits for whom, in one statement, and its answer.
 */
#ifndef OB_PG_WAITS_H
#define OB_PG_WAITS_H

#include "engine/port.h"

#include <libpq-fe.h>

/* $1: an array of process ids.  Locks, and for serializable read-only deferrable transactions a
 * safe snapshot. */
#define OB_PG_WAITS                                                            \
    "SELECT pid, waits FROM (SELECT pid, pg_catalog.pg_blocking_pids(pid) || " \
    "pg_catalog.pg_safe_snapshot_blocking_pids(pid) AS waits "                 \
    "FROM pg_catalog.unnest($1::int4[]) AS asked(pid)) AS all_asked WHERE waits <> '{}'"

#define OB_PG_PIDS_SIZE (OB_CLIENTS_MAX * 12 + 3)

/* Whom a client may wait for. */
enum ob_pg_holders {
    OB_PG_ALL_HOLDERS,    /* anybody; a prepared transaction, which has no process, never moves */
    OB_PG_CLIENT_HOLDERS, /* as isolationtester sees it: who waits for a client is blocked, whoever
                             else is waited for; who waits for others only is not */
};

/* The parameter: the process ids of these clients.  Returns text. */
const char *ob_pg_waits_pids(const int *pids, size_t count, ob_client_set clients,
                             char text[OB_PG_PIDS_SIZE]);

/* Reads the rows; pids[i] is client i's. */
void ob_pg_waits_read(const PGresult *result, const int *pids, size_t count,
                      enum ob_pg_holders holders, struct ob_waits *out);

#endif
