/*
 * flag.c - the feature flag.
 */
#include "booking/flag.h"

#include <stdint.h>

#include "result_int.h"

const char *booking_path_name(enum booking_path path)
{
    return path == BOOKING_PATH_FIXED ? "fixed" : "legacy";
}

/* FNV-1a with a final mix, since its low bits alone spread short names badly.  Source: RFC draft
 * draft-eastlake-fnv; the mix is the finalizer of MurmurHash3. */
static uint32_t stable_hash(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    return hash ^ (hash >> 16);
}

enum booking_path booking_flag_path(int percent, const char *customer)
{
    return (int)(stable_hash(customer) % 100) < percent ? BOOKING_PATH_FIXED : BOOKING_PATH_LEGACY;
}

/* Says how a statement that returns the percentage ended; clears its result. */
static enum booking_db_result finish(enum booking_db_result ended, PGresult *result, int *percent,
                                     struct booking_error *err)
{
    if (ended == BOOKING_DB_LOST) {
        booking_error_set(err, "could not reach the flag: the connection was lost");
        booking_error_hint(err, "Try again; nothing is known about this attempt.");
    } else if (ended == BOOKING_DB_ERROR) {
        booking_error_from_result(err, result, "reach the flag");
        booking_error_hint(err, "Run \"booking-migrate up\" when the schema is older than the "
                                "flag.");
    } else if (PQntuples(result) == 0) {
        booking_error_set(err, "the flag's row is missing");
        booking_error_hint(err, "Insert ('fixed-flow', 0) into booking.flag.");
        ended = BOOKING_DB_ERROR;
    } else if (percent) {
        *percent = (int)booking_result_int(result, "percent");
    }
    PQclear(result);
    return ended;
}

enum booking_db_result booking_flag_get(struct booking_db *db, int *percent,
                                        struct booking_error *err)
{
    PGresult *result;
    enum booking_db_result ended = db->ops->exec(
        db, "SELECT percent FROM booking.flag WHERE name = 'fixed-flow'", 0, NULL, &result);

    return finish(ended, result, percent, err);
}

enum booking_db_result booking_flag_set(struct booking_db *db, int percent,
                                        struct booking_error *err)
{
    struct booking_number number = booking_number(percent);
    const char *params[] = {number.text};
    PGresult *result;
    enum booking_db_result ended =
        db->ops->exec(db,
                      "UPDATE booking.flag SET percent = $1::int, changed_at = booking.now()"
                      " WHERE name = 'fixed-flow' RETURNING percent",
                      1, params, &result);

    return finish(ended, result, NULL, err);
}
