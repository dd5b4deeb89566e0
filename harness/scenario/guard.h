/*
 * guard.h - a step's condition: "n = 0", "status <> 'free'", "mine = :client", "row is null".
 */
#ifndef OB_SCENARIO_GUARD_H
#define OB_SCENARIO_GUARD_H

#include "base/alloc.h"
#include "scenario/scenario.h"

#include <stdbool.h>

/* VARIABLE OP VALUE, or VARIABLE is [not] null.  VALUE is a number, a 'text' or a :variable.  The
 * texts live in arena.  False, and *out untouched, when the text is not a guard. */
bool ob_guard_parse(const char *text, struct ob_arena *arena, struct ob_guard *out);

#endif
