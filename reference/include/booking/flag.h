/*
 * flag.h - the feature flag that puts customers on the fixed path, by percentage.
 *
 * A customer's place is a stable hash of the customer's id: raising the percentage only ever moves
 * customers from legacy to fixed.  The flag is read from the database at the start of each request
 * and holds for that request.
 */
#ifndef BOOKING_FLAG_H
#define BOOKING_FLAG_H

#include "booking/db.h"
#include "booking/error.h"

enum booking_path { BOOKING_PATH_LEGACY, BOOKING_PATH_FIXED };

const char *booking_path_name(enum booking_path path); /* "legacy", "fixed" */

/* The path of a customer at a percentage from 0 to 100. */
enum booking_path booking_flag_path(int percent, const char *customer);

/* Reads and sets the percentage.  ERROR and LOST fill err; *percent is then untouched. */
enum booking_db_result booking_flag_get(struct booking_db *db, int *percent,
                                        struct booking_error *err);
enum booking_db_result booking_flag_set(struct booking_db *db, int percent,
                                        struct booking_error *err);

#endif
