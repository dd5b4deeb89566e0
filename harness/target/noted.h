/*
 * noted.h - a session of the booking flow, all statements of which are written down: what a
 * scenario gives as done is SQL, too, to whoever takes the race elsewhere.
 */
#ifndef OB_TARGET_NOTED_H
#define OB_TARGET_NOTED_H

#include "base/buf.h"
#include "booking.h"
#include "target/script.h"

struct ob_noted_db {
    struct booking_db db;     /* give this away */
    struct booking_db *inner; /* borrowed */
    struct ob_script *script; /* borrowed; NULL: nothing is written down */
};

void ob_noted_db_init(struct ob_noted_db *noted, struct booking_db *inner,
                      struct ob_script *script);

#endif
