/*
 * event.h - the steps of a run as events, and which of them depend on each other.
 *
 * An event is all that a step brought about: what its own operation touched, also what that did
 * only later, when it had waited for a lock; and what those did whom it woke.  Two events of
 * different clients are dependent when their order can matter.  What is not known for certain to
 * be independent is dependent.
 */
#ifndef OB_EXPLORE_EVENT_H
#define OB_EXPLORE_EVENT_H

#include "engine/trace.h"

#include <stdbool.h>

struct ob_event_of_step {
    size_t client;
    struct ob_footprint touches; /* owned; the ways below among them */
    ob_client_set woken;
    bool snapshot;        /* takes the one snapshot that its transaction reads by */
    bool publishes, ends; /* a transaction: makes what it wrote visible, or at least frees locks */
};

/* The end of a transaction, for each resource that it has touched.  Ways beside those of
 * footprint.h. */
#define OB_TOUCH_RELEASE 32u      /* locks on it are freed */
#define OB_TOUCH_PUBLISH 64u      /* what was written becomes visible */
#define OB_TOUCH_PUBLISH_ADD 128u /* what was added does */

struct ob_events {
    struct ob_event_of_step *items; /* one for each step; owned, memory kept */
    size_t count, capacity;
};

/* The events of a run, or of as much as there is of it. */
void ob_events_of(const struct ob_trace *trace, struct ob_events *out);
void ob_events_clear(struct ob_events *events);

/* Lets each two that make something visible be dependent, whatever it is: something is checked
 * after each commit, and sees which of two came first. */
void ob_events_watch_commits(struct ob_events *events);

/* Lets the event be dependent on all others. */
void ob_event_is_unknown(struct ob_event_of_step *event);
void ob_event_copy(struct ob_event_of_step *to, const struct ob_event_of_step *from);
void ob_event_join(struct ob_event_of_step *to, const struct ob_event_of_step *from);

bool ob_events_dependent(const struct ob_event_of_step *a, const struct ob_event_of_step *b);

#endif
