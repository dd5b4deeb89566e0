#include "explore/follower.h"

static void follower_restart(void *self)
{
    struct ob_follower *follower = self;
    follower->next = follower->next_wake = 0;
}

size_t ob_follow_fault(const struct ob_choice_point *point, const struct ob_schedule *schedule)
{
    for (size_t i = 0; i < schedule->fault_count; i++) {
        const struct ob_fault *fault = &schedule->faults[i];
        if (fault->point == point->point && fault->client == point->client &&
            fault->hit == point->hit)
            return fault->way < point->option_count ? fault->way : 0;
    }
    return 0;
}

size_t ob_follow_client(const struct ob_choice_point *point, size_t client)
{
    for (size_t i = 0; i < point->option_count; i++)
        if (point->clients[i] == client)
            return i;
    return OB_CANNOT_FOLLOW;
}

/* The record may be of a server on which nobody chose. */
static size_t recorded_wake(struct ob_follower *follower, const struct ob_choice_point *point)
{
    const struct ob_schedule *schedule = follower->schedule;
    if (follower->next_wake >= schedule->wake_count)
        return 0;
    return ob_follow_client(point, schedule->wakes[follower->next_wake++]);
}

static size_t follow(void *self, const struct ob_choice_point *point)
{
    struct ob_follower *follower = self;
    if (point->kind == OB_CHOICE_PROGRAM)
        return follower->schedule->program;
    if (point->kind == OB_CHOICE_FAULT)
        return ob_follow_fault(point, follower->schedule);
    if (point->kind == OB_CHOICE_WAKE)
        return recorded_wake(follower, point);
    if (follower->next >= follower->schedule->step_count)
        return follower->prefix ? 0 : OB_CANNOT_FOLLOW;
    size_t option = ob_follow_client(point, follower->schedule->clients[follower->next]);
    follower->next += option != OB_CANNOT_FOLLOW;
    return option;
}

struct ob_chooser ob_follower_chooser(struct ob_follower *follower)
{
    return (struct ob_chooser){.self = follower, .restart = follower_restart, .choose = follow};
}
