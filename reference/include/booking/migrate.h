/*
 * migrate.h - the schema, step by step, up and down.
 *
 * The files of reference/migrations are built into the library.  Each step is one transaction that
 * also records the new version in booking.schema_version, under an advisory lock, so two migrations
 * at once are safe.  Going down loses no rows: tables that a step removes are moved to the schema
 * booking_archive and come back with it.
 */
#ifndef BOOKING_MIGRATE_H
#define BOOKING_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <libpq-fe.h>

#include "booking/error.h"

/* Versions that matter to a rollout.  OPEN has every table and no constraint against double
 * booking: there only the code protects, and the legacy path double-books.  The two constraints
 * follow. */
enum {
    BOOKING_SCHEMA_EMPTY = 0,
    BOOKING_SCHEMA_CORE = 1, /* what the legacy path needs */
    BOOKING_SCHEMA_FLAG = 6, /* what the fixed path needs; before it everybody is on the other */
    BOOKING_SCHEMA_OPEN = 7,
    BOOKING_SCHEMA_NO_BOOKING_OVERLAP =
        8, /* bookings exclude each other; one booking for a payment and a hold */
    BOOKING_SCHEMA_NO_HOLD_OVERLAP = 9, /* holds and what became of them exclude each other */
    BOOKING_SCHEMA_UNITS = 10,          /* the same, unit by unit: a capacity above one */
    BOOKING_SCHEMA_RESCHEDULE = 11,     /* a hold tells whose place it took */
    BOOKING_SCHEMA_BUFFERS = 12,        /* time before and after a slot is claimed too */
    BOOKING_SCHEMA_SERIES = 13,         /* which holds are one series, and where bays stand */
    BOOKING_SCHEMA_LATEST = 13
};

struct booking_migration {
    int version; /* 1, 2, 3, … */
    const char *name;
    const char *up;   /* SQL, several statements */
    const char *down; /* SQL, several statements */
};

/* All of them, by version. */
const struct booking_migration *booking_migrations(size_t *count);

/* The version of a database: 0 when it has no schema yet.  False fills err. */
bool booking_migrate_version(PGconn *conn, int *version, struct booking_error *err);

/* Goes up or down to a version, one transaction a step; step is called with each that was
 * done, and may be NULL.  False fills err; the steps before the failed one stay done. */
bool booking_migrate(PGconn *conn, int target,
                     void (*step)(void *arg, int version, const char *name), void *arg,
                     struct booking_error *err);

/* What the transaction of one step has between its BEGIN and its COMMIT, for whoever runs it on a
 * session of another kind; the caller's to free, NULL without memory.  version: the one that the
 * step makes or, down, takes away. */
char *booking_migrate_text(int version, bool up);

/* Lists what the constraints would refuse: overlapping bookings and holds, insane ranges,
 * payments used twice.  row gets one line each, in a total order, and may be NULL.  *count is
 * their number.  Needs version 2. */
bool booking_migrate_check(PGconn *conn, void (*row)(void *arg, const char *line), void *arg,
                           size_t *count, struct booking_error *err);

/* SQL to run with PQexec after migrating to the latest version: a clock that is set by SELECT
 * setval('booking.clock', microseconds); the schema without its constraints against double
 * booking; and a few simulators (1, 2, 3) to book. */
const char *booking_sql_virtual_clock(void);
const char *booking_sql_without_guards(void);
const char *booking_sql_seeds(void);

#endif
