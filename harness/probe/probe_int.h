/*
 * probe_int.h - what the files of the probe share.
 *
 *   overbook_probe.c  the settings, the hooks, the time and the gate
 *   tell.c            what a statement has touched, and telling the client of it
 *   touch.c           what plans, functions and commands touch
 *
 * The server's own header comes before all others.
 */
#ifndef OB_PROBE_INT_H
#define OB_PROBE_INT_H

#include <postgres.h>

#include <nodes/plannodes.h>

/* --- tell.c */

void ob_tell_init(void);
/* What comes now is of another statement of the client's. */
void ob_tell_begin(void);
/* That it has touched something in a way (see overbook_probe.c); a name of NULL: anything. */
void ob_tell_add(char way, const char *name);
void ob_tell_add_anything(void);
void ob_tell_add_advisory_locks(void);
/* Also by all later statements of this transaction. */
void ob_tell_add_lasting(char way);
void ob_tell_end_transaction(void);
/* Sends what has not been sent yet; lonely: also the level alone, where that says something. */
void ob_tell_send(bool lonely);

/* --- touch.c */

/* Adds what a plan touches itself, before it is made ready.  Until the end of that, functions are
 * the plan's. */
void ob_touch_plan(const PlannedStmt *plan);
void ob_touch_plan_ready(void);
/* Adds what a function may touch, when an expression that calls it is made ready. */
void ob_touch_function(Oid function);
/* Whether a command touches nothing, or nothing but what statements inside of it tell. */
bool ob_touch_is_quiet(const Node *command);

#endif
