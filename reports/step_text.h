/* step_text.h - what happened in a step, in words for a terminal.  All texts live in the arena. */
#ifndef OB_REPORTS_STEP_TEXT_H
#define OB_REPORTS_STEP_TEXT_H

#include "base/alloc.h"
#include "timeline.h"

/* What the client's operation came to, as far as the step tells: "1 row", "error 23P01: …", "waits
 * for bob"; "" when it ended with nothing to tell.  Another one than the step's own: how it went
 * on, NULL when it did not. */
const char *ob_step_text_came_to(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                                 const struct ob_report_step *step, size_t client);

/* Names of clients, with commas between them; "nobody" for none. */
const char *ob_step_text_names(struct ob_arena *arena, const struct ob_report_timeline *timeline,
                               ob_report_clients set);

/* A note's JSON object without its punctuation: "status: ok, http: 200"; of a clock the time. */
const char *ob_step_text_note(struct ob_arena *arena, const struct ob_report_note *note);

static inline bool ob_step_has(ob_report_clients set, size_t client)
{
    return set >> client & 1;
}

#endif
