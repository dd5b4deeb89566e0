/*
 * race.h - which dependent events of a run could have come the other way round.
 *
 * One event happens before another one when it is of the same client and earlier, when both are
 * dependent and it is earlier, when it woke the other one's client, or through events between them.
 * Two dependent events of different clients are in a race when nothing between them orders them and
 * the first did not wake the second's client (Abdulla and others, POPL 2014).
 */
#ifndef OB_EXPLORE_RACE_H
#define OB_EXPLORE_RACE_H

#include "explore/event.h"

struct ob_race {
    size_t first, second; /* events */
    /* Those who can begin a run in which second is made without first: the clients of the events
     * between them, and of second, that happen after neither first nor any other of these. */
    ob_client_set initials;
};

/* Calls found for each race, those of earlier second events first. */
void ob_races_find(const struct ob_events *events, size_t client_count,
                   void (*found)(void *arg, const struct ob_race *race), void *arg);

#endif
