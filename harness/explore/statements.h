/*
 * statements.h - which client's statements work and which fail as only wrong ones do, over many
 * runs.
 *
 * A race is lost with a serialization failure, a deadlock, a broken constraint or an error that the
 * application raises.  A name that is not there or a division by zero is another matter: where a
 * statement ends so each time, the race that it was to take part in never took place.
 */
#ifndef OB_EXPLORE_STATEMENTS_H
#define OB_EXPLORE_STATEMENTS_H

#include "engine/trace.h"

/* One statement of one client. */
struct ob_statement {
    size_t client;
    uint64_t hash;    /* of its text */
    const char *text; /* without its parameters */
    uint64_t done;    /* how often it worked */
    uint64_t wrong;   /* how often it failed as a wrong one does */
    /* Of the first such failure. */
    char sqlstate[6];
    const char *message;
};

/* In the order of their first ends.  There are as many as the clients have, however many runs. */
struct ob_statements {
    struct ob_arena arena;
    struct ob_statement *items;
    size_t count, capacity;
};

void ob_statements_init(struct ob_statements *statements);
void ob_statements_clear(struct ob_statements *statements);

/* Counts what ended in a run. */
void ob_statements_add(struct ob_statements *statements, const struct ob_trace *trace);

/* Whether PostgreSQL does not even accept the statement: class 42, Syntax Error or Access Rule
 * Violation, which names what is not there. */
bool ob_statement_unaccepted(const struct ob_statement *statement);

#endif
