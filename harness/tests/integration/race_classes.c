#include "race_classes.h"

const char ob_race_classes_schema[] =
    "CREATE TABLE room (id int PRIMARY KEY, seats int NOT NULL, version int NOT NULL DEFAULT 0);"
    "CREATE TABLE hold (id int PRIMARY KEY, room int NOT NULL REFERENCES room, who text NOT NULL,"
    " until int NOT NULL, state text NOT NULL DEFAULT 'held', UNIQUE (room, who));"
    "CREATE TABLE booking (id int PRIMARY KEY, room int NOT NULL REFERENCES room, who text NOT "
    "NULL,"
    " during int4range NOT NULL, state text NOT NULL DEFAULT 'booked');"
    "CREATE TABLE stay (room int NOT NULL, during int4range NOT NULL,"
    " EXCLUDE USING gist (during WITH &&));"
    "CREATE TABLE payment (id int PRIMARY KEY, amount int NOT NULL, refunded int NOT NULL DEFAULT "
    "0,"
    " state text NOT NULL, key text UNIQUE);"
    "CREATE TABLE event (id text PRIMARY KEY, done boolean NOT NULL DEFAULT false);"
    "CREATE TABLE mail (text text NOT NULL);"
    "INSERT INTO room VALUES (1, 10), (2, 5);"
    "INSERT INTO hold VALUES (1, 1, 'ann', 100);"
    "INSERT INTO booking VALUES (1, 1, 'zoe', '[0,5)'), (2, 2, 'yan', '[0,5)');"
    "INSERT INTO payment VALUES (1, 60, 0, 'paid', NULL);";

#define TWO(name, ...)                                  \
    {                                                   \
        name,                                           \
        {                                               \
            .client_count = 2, .lines = { __VA_ARGS__ } \
        }                                               \
    }
#define THREE(name, ...)                                \
    {                                                   \
        name,                                           \
        {                                               \
            .client_count = 3, .lines = { __VA_ARGS__ } \
        }                                               \
    }
#define RC "begin"
#define RR "begin isolation level repeatable read"
#define SER "begin isolation level serializable"

/* --- statements */

#define LOOK "SELECT count(*) FROM booking WHERE room = 1 AND during && '[5,9)'"
#define LOOK_LOCKED "SELECT id FROM booking WHERE room = 1 AND during && '[5,9)' FOR UPDATE"
#define BOOK(id, who) "INSERT INTO booking VALUES (" #id ", 1, '" who "', '[5,9)')"
#define BOOK_IF_FREE(id, who)                                          \
    "INSERT INTO booking SELECT " #id ", 1, '" who "', '[5,9)' WHERE " \
    "NOT EXISTS (SELECT FROM booking WHERE room = 1 AND during && '[5,9)')"
#define LOCK_ROOM "SELECT seats FROM room WHERE id = 1 FOR UPDATE"
#define LOCK_ROOM_NO_KEY "SELECT seats FROM room WHERE id = 1 FOR NO KEY UPDATE"
#define STAY(from, to) "INSERT INTO stay VALUES (1, '[" #from "," #to ")')"
#define TAKE_SEAT "UPDATE room SET seats = seats - 1 WHERE id = 1 AND seats > 0"
#define TAKE_TEN "UPDATE room SET seats = seats - 10 WHERE id = 1 AND seats >= 10"
#define SEATS "SELECT seats FROM room WHERE id = 1"
#define CONFIRM "UPDATE hold SET state = 'confirmed' WHERE id = 1 AND state = 'held'"
#define CONFIRM_BLINDLY "UPDATE hold SET state = 'confirmed' WHERE id = 1"
#define EXPIRE "UPDATE hold SET state = 'expired' WHERE state = 'held' AND until < 200"
#define DELETE_BY_SUBSELECT \
    "DELETE FROM hold WHERE id IN (SELECT id FROM hold WHERE state = 'held' AND until < 200)"
#define DELETE_DIRECTLY "DELETE FROM hold WHERE state = 'held' AND until < 200"
#define HOLD(id, who) "INSERT INTO hold VALUES (" #id ", 1, '" who "', 300)"
#define SEEN "INSERT INTO event VALUES ('e1') ON CONFLICT DO NOTHING"
#define SEEN_OR_FAIL "INSERT INTO event VALUES ('e1')"
#define DONE "UPDATE event SET done = true WHERE id = 'e1' AND NOT done"
#define MAIL "INSERT INTO mail VALUES ('confirmed')"
#define REFUND "UPDATE payment SET refunded = refunded + 60 WHERE id = 1"
#define REFUND_IF_LEFT REFUND " AND refunded + 60 <= amount"
#define PAY(id, key) "INSERT INTO payment VALUES (" #id ", 60, 0, 'paid', '" key "')"
#define PAY_ONCE(id, key) PAY(id, key) " ON CONFLICT (key) DO NOTHING"
#define STATE "SELECT state FROM hold WHERE id = 1"
#define LOCK_HOLD "SELECT state FROM hold WHERE id = 1 FOR UPDATE"
#define LOCK_PAYMENT "SELECT refunded FROM payment WHERE id = 1 FOR UPDATE"
#define CANCEL "UPDATE booking SET state = 'cancelled' WHERE id = 1 AND state = 'booked'"
#define ACCEPT "UPDATE booking SET state = 'accepted' WHERE id = 1"
#define MOVE "UPDATE booking SET room = 2 WHERE id = 1"

const struct ob_race_class ob_race_classes[] = {
    /* Check, then act. */
    TWO("a: two look, then both book", {RC, LOOK, BOOK(3, "ann"), "commit"},
        {RC, LOOK, BOOK(4, "bob"), "commit"}),
    TWO("a: the same without transactions", {LOOK, BOOK(3, "ann")}, {LOOK, BOOK(4, "bob")}),
    TWO("a: the same from one snapshot", {RR, LOOK, BOOK(3, "ann"), "commit"},
        {RR, LOOK, BOOK(4, "bob"), "commit"}),
    TWO("a: the same serializable", {SER, LOOK, BOOK(3, "ann"), "commit"},
        {SER, LOOK, BOOK(4, "bob"), "commit"}),
    TWO("a: one of them serializable", {SER, LOOK, BOOK(3, "ann"), "commit"},
        {RC, LOOK, BOOK(4, "bob"), "commit"}),
    TWO("a: a lock on no row", {RC, LOOK_LOCKED, BOOK(3, "ann"), "commit"},
        {RC, LOOK_LOCKED, BOOK(4, "bob"), "commit"}),
    TWO("a: a lock on the parent", {RC, LOCK_ROOM, BOOK_IF_FREE(3, "ann"), "commit"},
        {RC, LOCK_ROOM, BOOK_IF_FREE(4, "bob"), "commit"}),
    TWO("a: the weaker lock on the parent",
        {RC, LOCK_ROOM_NO_KEY, BOOK_IF_FREE(3, "ann"), "commit"},
        {RC, LOCK_ROOM_NO_KEY, BOOK_IF_FREE(4, "bob"), "commit"}),
    TWO("a: only one takes the lock", {RC, LOCK_ROOM, BOOK_IF_FREE(3, "ann"), "commit"},
        {RC, LOOK, BOOK(4, "bob"), "commit"}),
    TWO("a: one statement each", {BOOK_IF_FREE(3, "ann")}, {BOOK_IF_FREE(4, "bob"), LOOK}),
    TWO("a: an exclusion constraint", {RC, STAY(1, 5), "commit"}, {RC, STAY(3, 8), "commit"}),
    TWO("a: an exclusion constraint, and one gives up", {RC, STAY(1, 5), "rollback"},
        {RC, STAY(3, 8), "commit"}),
    TWO("a: two stays beside each other", {RC, STAY(1, 5), STAY(20, 25), "commit"},
        {RC, STAY(5, 9), STAY(24, 26), "commit"}),
    THREE("a: three at one constraint", {RC, STAY(1, 5), "commit"}, {STAY(3, 8)}, {STAY(4, 6)}),
    TWO("a: both requests are approved", {RC, LOOK, ACCEPT, "commit"},
        {RC, LOOK, ACCEPT, "commit"}),
    TWO("a: cancelled while accepted", {RC, CANCEL, "commit"}, {RC, ACCEPT, "commit"}),
    TWO("a: the first free one for each",
        {"INSERT INTO booking SELECT 3, min(id), 'ann', '[5,9)' FROM room WHERE id NOT IN (SELECT "
         "room FROM booking WHERE during && '[5,9)')"},
        {"INSERT INTO booking SELECT 4, min(id), 'bob', '[5,9)' FROM room WHERE id NOT IN (SELECT "
         "room FROM booking WHERE during && '[5,9)')"}),
    THREE("a: three in one statement each", {BOOK_IF_FREE(3, "ann")}, {BOOK_IF_FREE(4, "bob")},
          {BOOK_IF_FREE(5, "cat")}),
    /* Holds that do not hold. */
    TWO("b: a key with the visitor in it", {HOLD(2, "bob")}, {HOLD(3, "cat"), LOOK}),
    TWO("b: the same visitor twice", {RC, HOLD(2, "bob"), "commit"},
        {RC, HOLD(3, "bob"), "commit"}),
    TWO("b: the last seats", {RC, TAKE_TEN, "commit"}, {RC, TAKE_TEN, "commit"}),
    TWO("b: the last seats, and one gives up", {RC, TAKE_TEN, "rollback"}, {TAKE_TEN, SEATS}),
    TWO("b: seats read, then written",
        {RC, SEATS, "UPDATE room SET seats = 9 WHERE id = 1", "commit"},
        {RC, SEATS, "UPDATE room SET seats = 9 WHERE id = 1", "commit"}),
    TWO("b: the same from one snapshot",
        {RR, SEATS, "UPDATE room SET seats = 9 WHERE id = 1", "commit"},
        {RR, SEATS, "UPDATE room SET seats = 9 WHERE id = 1", "commit"}),
    TWO("b: by version",
        {SEATS, "UPDATE room SET seats = 9, version = 1 WHERE id = 1 AND version = 0"},
        {SEATS, "UPDATE room SET seats = 8, version = 1 WHERE id = 1 AND version = 0"}),
    THREE("b: three take a seat", {TAKE_SEAT}, {TAKE_SEAT}, {RC, TAKE_TEN, "commit"}),
    TWO("b: own hold ignored",
        {RC, "SELECT count(*) FROM hold WHERE who <> 'bob'", HOLD(2, "bob"), "commit"},
        {RC, "SELECT count(*) FROM hold WHERE who <> 'cat'", HOLD(3, "cat"), "commit"}),
    /* Expiry against capture. */
    TWO("c: confirmed while it expires", {RC, CONFIRM, "commit"}, {RC, EXPIRE, "commit"}),
    TWO("c: confirmed blindly", {RC, STATE, CONFIRM_BLINDLY, "commit"}, {RC, EXPIRE, "commit"}),
    TWO("c: looked at under a lock", {RC, LOCK_HOLD, CONFIRM, "commit"}, {RC, EXPIRE, "commit"}),
    TWO("c: cleaned up by a subselect", {RC, CONFIRM, "commit"}, {DELETE_BY_SUBSELECT}),
    TWO("c: cleaned up by the predicate", {RC, CONFIRM, "commit"}, {DELETE_DIRECTLY}),
    TWO("c: cleaned up from one snapshot", {RC, CONFIRM, "commit"},
        {RR, DELETE_DIRECTLY, "commit"}),
    TWO("c: taken again as it expires", {RC, EXPIRE, HOLD(2, "bob"), "commit"},
        {RC, CONFIRM, STATE, "commit"}),
    THREE("c: confirmed, expired and looked at", {CONFIRM}, {EXPIRE}, {RR, STATE, "commit"}),
    /* Delivered twice; a webhook against a return. */
    TWO("d: two deliveries, one mail each", {RC, SEEN, MAIL, "commit"}, {RC, SEEN, MAIL, "commit"}),
    TWO("d: two deliveries, the second fails", {RC, SEEN_OR_FAIL, MAIL, "commit"},
        {RC, SEEN_OR_FAIL, MAIL, "commit"}),
    TWO("d: the first delivery is rolled back", {RC, SEEN, MAIL, "rollback"},
        {RC, SEEN, MAIL, "commit"}),
    TWO("d: state looked at, then written", {RC, STATE, CONFIRM_BLINDLY, MAIL, "commit"},
        {RC, STATE, CONFIRM, "commit"}),
    TWO("d: a return against a webhook", {RC, LOCK_HOLD, CONFIRM, "commit"},
        {RC, LOCK_HOLD, CONFIRM, "commit"}),
    TWO("d: marked before the effect", {SEEN, DONE, MAIL}, {SEEN, DONE}),
    THREE("d: three deliveries", {SEEN, MAIL}, {SEEN}, {RC, SEEN, "rollback"}),
    TWO("d: one converts what the other changes",
        {RC, "DELETE FROM hold WHERE id = 1", BOOK(3, "ann"), "commit"},
        {RC, "UPDATE hold SET until = 500 WHERE id = 1", "commit"}),
    /* Out of order. */
    TWO("e: a stale failure", {RC, "UPDATE payment SET state = 'failed' WHERE id = 1", "commit"},
        {RC, "UPDATE payment SET state = 'paid' WHERE id = 1 AND state = 'open'", STATE, "commit"}),
    TWO("e: an event before its row", {RC, PAY(2, "k"), "commit"},
        {"UPDATE payment SET state = 'settled' WHERE key = 'k'",
         "SELECT count(*) FROM payment WHERE key = 'k'"}),
    TWO("e: the last state that comes", {"UPDATE payment SET state = 'failed' WHERE id = 1"},
        {RR, "UPDATE payment SET state = 'settled' WHERE id = 1", "commit"}),
    TWO("e: one snapshot, taken before anything is read", {RR, "SELECT 1", SEATS, "commit"},
        {TAKE_SEAT}),
    TWO("e: the same by a command", {RR, "EXPLAIN (COSTS OFF) SELECT 1", SEATS, "commit"},
        {TAKE_SEAT}),
    TWO("e: read up to whoever has not committed", {RC, MAIL, "commit"},
        {SEEN, "SELECT count(*) FROM event WHERE xmin::text::bigint <"
               " pg_snapshot_xmin(pg_current_snapshot())::text::bigint"}),
    /* Cancelling, refunding, cleaning up. */
    TWO("f: refunded twice", {RC, REFUND, "commit"}, {RC, REFUND, "commit"}),
    TWO("f: refunded while something is left", {REFUND_IF_LEFT}, {RC, REFUND_IF_LEFT, "commit"}),
    TWO("f: looked at, then refunded", {RC, LOCK_PAYMENT, REFUND_IF_LEFT, "commit"},
        {RC, LOCK_PAYMENT, REFUND_IF_LEFT, "commit"}),
    TWO("f: locks in two orders", {RC, LOCK_HOLD, LOCK_PAYMENT, "commit"},
        {RC, LOCK_PAYMENT, LOCK_HOLD, "commit"}),
    TWO("f: updates in two orders", {RC, TAKE_SEAT, REFUND, "commit"},
        {RC, REFUND, TAKE_SEAT, "commit"}),
    TWO("f: cancelled after it was paid", {RC, CANCEL, REFUND_IF_LEFT, "commit"},
        {RC, ACCEPT, "commit"}),
    TWO("f: a whole row written back",
        {RC, STATE, "UPDATE hold SET state = 'held', until = 500 WHERE id = 1", "commit"},
        {RC, CONFIRM, "commit"}),
    /* Capacity, series, moving. */
    TWO("g: seats counted",
        {RR, "SELECT count(*) FROM booking WHERE room = 1", BOOK(3, "ann"), "commit"},
        {RR, "SELECT count(*) FROM booking WHERE room = 1", BOOK(4, "bob"), "commit"}),
    TWO("g: two sums, each of the other's table",
        {SER, "SELECT count(*) FROM booking", HOLD(2, "bob"), "commit"},
        {SER, "SELECT count(*) FROM hold", BOOK(3, "cat"), "commit"}),
    TWO("g: moved twice", {RC, MOVE, "commit"}, {RC, CANCEL, "commit"}),
    TWO("g: moved from a room that goes", {RC, MOVE, "commit"},
        {RC, "DELETE FROM room WHERE id = 2", "commit"}),
    TWO("g: booked in a room that goes",
        {RC, "INSERT INTO booking VALUES (3, 2, 'ann', '[7,8)')", "commit"},
        {RC, "DELETE FROM booking WHERE room = 2", "DELETE FROM room WHERE id = 2", "commit"}),
    TWO("g: a series", {RC, STAY(1, 2), STAY(11, 12), "commit"},
        {RC, STAY(11, 12), STAY(1, 2), "commit"}),
    /* Lost answers. */
    TWO("h: paid again under a new key", {PAY(2, "k1")}, {PAY(3, "k2")}),
    TWO("h: paid again under the same key", {RC, PAY_ONCE(2, "k"), "commit"},
        {RC, PAY_ONCE(3, "k"), "commit"}),
    TWO("h: the first try is rolled back", {RC, PAY_ONCE(2, "k"), "rollback"},
        {RC, PAY_ONCE(3, "k"), "commit"}),
    TWO("h: an advisory lock around it",
        {RC, "SELECT pg_advisory_xact_lock(7)", BOOK_IF_FREE(3, "ann"), "commit"},
        {RC, "SELECT pg_advisory_xact_lock(7)", BOOK_IF_FREE(4, "bob"), "commit"}),
    TWO("h: the session ends with its lock", {"SELECT pg_advisory_lock(7)", TAKE_SEAT, "kill"},
        {RC, "SELECT pg_advisory_xact_lock(7)", TAKE_SEAT, "commit"}),
};

const size_t ob_race_class_count = sizeof ob_race_classes / sizeof *ob_race_classes;
