/* follower.h - a chooser that follows a recorded schedule: replays. */
#ifndef OB_EXPLORE_FOLLOWER_H
#define OB_EXPLORE_FOLLOWER_H

#include "engine/choice.h"
#include "engine/trace.h"

#include <stdbool.h>

/* Steps go to the recorded clients, those who waited go on as recorded (where nothing is, who has
 * waited longest is first), and exactly the recorded faults happen.  A choice that is not
 * possible, or a run that is longer than its record, cannot be followed - unless prefix is set:
 * then the first enabled client goes on after the record's end. */
struct ob_follower {
    const struct ob_schedule *schedule; /* borrowed */
    bool prefix;
    size_t next, next_wake;
};

struct ob_chooser ob_follower_chooser(struct ob_follower *follower);

/* STEP, WAKE: the client's option, or OB_CANNOT_FOLLOW. */
size_t ob_follow_client(const struct ob_choice_point *point, size_t client);
/* FAULT: the way in which the schedule has it, 0 where it has none. */
size_t ob_follow_fault(const struct ob_choice_point *point, const struct ob_schedule *schedule);

#endif
