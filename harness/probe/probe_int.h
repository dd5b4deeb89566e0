/*
 * probe_int.h - what the files of the probe share.
 *
 *   overbook_probe.c  the settings and the hooks
 *   clock.c           the virtual time
 *   gate.c            the gate that statements pass
 *   tell.c            what a statement has touched, and telling the client of it
 *   touch.c           what plans, functions and commands touch
 *
 * The server's own header comes before all others.
 */
#ifndef OB_PROBE_INT_H
#define OB_PROBE_INT_H

#include <postgres.h>

#include <nodes/plannodes.h>

/* --- clock.c */

/* From here on now() and its kin tell the time that this sequence has; NULL, "" or a name that is
 * no sequence's: the machine's. */
void ob_clock_tell(const char *sequence);
/* Whether the text could be one; "" could. */
bool ob_clock_is_name(const char *text);

/* --- gate.c */

#define OB_NO_GATE (-1)

void ob_gate_pass(int number);

/* --- tell.c */

/* Sends the client a notice, whatever client_min_messages says. */
void ob_tell(const char *sqlstate, const char *text);

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
