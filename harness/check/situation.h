/*
 * situation.h - what a run may have reached that is no violation, as its trace tells.
 *
 * "Holds" says something only if there was a race.  A scenario names what some of its runs must
 * reach; these are the names that are built in, beside which it may write queries.
 */
#ifndef OB_CHECK_SITUATION_H
#define OB_CHECK_SITUATION_H

#include "engine/trace.h"

#include <stdbool.h>
#include <stddef.h>

struct ob_situation {
    const char *name;
    bool (*reached)(const struct ob_trace *trace);
};

const struct ob_situation *ob_situation_builtin(size_t *count);
const struct ob_situation *ob_situation_find(const char *name); /* NULL: none is called so */

/* Whether a client came to wait for another. */
bool ob_situation_wait(const struct ob_trace *trace);

/* Whether one did, or came between two steps of another with a step that touches what that one
 * does, where either changes or locks it.  A statement of which nobody knows what it touches may
 * touch anything. */
bool ob_situation_contention(const struct ob_trace *trace);

#endif
