/*
 * migrations_int.h - the SQL files that the build puts into the library.
 *
 * A new migration is one line here and one in the Makefile.
 */
#ifndef BOOKING_MIGRATIONS_INT_H
#define BOOKING_MIGRATIONS_INT_H

/* version, name */
#define BOOKING_MIGRATION_FILES(X) \
    X(0001, core)                  \
    X(0002, dirty_data)            \
    X(0003, holds)                 \
    X(0004, transitions)           \
    X(0005, payments)              \
    X(0006, flag)                  \
    X(0007, sane_ranges)           \
    X(0008, booking_no_overlap)    \
    X(0009, hold_no_overlap)       \
    X(0010, units)                 \
    X(0011, reschedule)            \
    X(0012, buffers)               \
    X(0013, series)

#define BOOKING_MIGRATION_TEXTS(version, name)           \
    extern const char booking_sql_text_##version##_up[]; \
    extern const char booking_sql_text_##version##_down[];
BOOKING_MIGRATION_FILES(BOOKING_MIGRATION_TEXTS)
#undef BOOKING_MIGRATION_TEXTS

extern const char booking_sql_text_virtual_clock[];
extern const char booking_sql_text_without_guards[];
extern const char booking_sql_text_seeds[];

#endif
