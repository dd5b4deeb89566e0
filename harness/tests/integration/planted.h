/*
 * planted.h - bugs and their correct twins, planted as rows and history, for the built-in
 * invariants.
 */
#ifndef OB_TESTS_PLANTED_H
#define OB_TESTS_PLANTED_H

#include "engine/trace.h"

#define PLANTED_EVENTS_MAX 8

struct planted {
    const char *name;
    const char *invariant; /* NULL: a twin, all hold */
    const char *rows;      /* SQL, run at PLANTED_TIME on the schema without its constraints */
    struct {
        size_t client; /* index into planted_clients, or OB_NO_CLIENT */
        const char *kind, *data;
    } events[PLANTED_EVENTS_MAX];
    const char *broken; /* the text of the invariant's rows */
};

#define PLANTED_TIME "2026-06-01T09:00:00Z"

extern const char *const planted_clients[];
/* All of them, one after the other; NULL behind the last one. */
const struct planted *planted_case(size_t index);

/* In parts, by what they take. */
extern const struct planted planted_rows[], planted_answers[];
extern const size_t planted_row_count, planted_answer_count;

#endif
