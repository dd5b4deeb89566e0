/*
 * bind.h - one SQL statement with :variables made into parameters.
 *
 * Reads only as much of PostgreSQL's lexical rules (manual, section 4.1) as it takes to know where
 * a colon means a variable: not within strings ('…', E'…', $tag$…$tag$), quoted identifiers or
 * comments, and not in a ::cast or an array[1:2].  It assumes standard_conforming_strings = on.
 */
#ifndef OB_SCENARIO_BIND_H
#define OB_SCENARIO_BIND_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>

struct ob_bound {
    const char *sql;              /* without a closing semicolon */
    const char *const *variables; /* that of $1, of $2, …; each once */
    size_t variable_count;
};

/* What is wrong with a statement. */
struct ob_bind_problem {
    const char *text, *hint;
};

/* Everything in *out lives in arena.  False when the text is not one statement that a step can
 * send: *problem then tells, and *out is untouched. */
bool ob_bind_parse(const char *sql, struct ob_arena *arena, struct ob_bound *out,
                   struct ob_bind_problem *problem);

/* The size of the identifier (letters, digits, _; no digit first) that text begins with; 0 for
 * none. */
size_t ob_bind_identifier(const char *text);

#endif
