#include "repro/whole.h"

#include "base/alloc.h"
#include "explore/follower.h"
#include "repro/plan.h"

#include <stdlib.h>
#include <string.h>

#define NO_STEP SIZE_MAX

static void restart(void *self)
{
    struct ob_whole *whole = self;
    memset(whole->made, 0, whole->less->step_count * sizeof *whole->made);
    whole->made_count = 0;
    whole->passed_over = false;
}

/* The client's first step that has not come again, of any part or of that one. */
static size_t due_step(const struct ob_whole *whole, size_t client, const uint32_t *part)
{
    const struct ob_trace *less = whole->less;
    for (size_t i = 0; i < less->step_count; i++)
        if (!whole->made[i] && less->steps[i].client == client &&
            (!part || less->steps[i].part == *part))
            return i;
    return NO_STEP;
}

/* Whether what that option would do was put back. */
static bool is_put_back(const struct ob_whole *whole, const struct ob_choice_point *point,
                        size_t option)
{
    return due_step(whole, point->clients[option], &point->parts[option]) == NO_STEP;
}

static size_t take(struct ob_whole *whole, const struct ob_choice_point *point, size_t option)
{
    size_t step = due_step(whole, point->clients[option], &point->parts[option]);
    if (step == NO_STEP)
        return option;
    whole->made[step] = true;
    whole->passed_over |= step != whole->made_count++;
    return option;
}

/* The first option by what was put back, as far as it goes before all else; or OB_CANNOT_FOLLOW. */
static size_t eager_option(const struct ob_whole *whole, const struct ob_choice_point *point)
{
    if (whole->put_back == OB_PUT_BACK_LATE)
        return OB_CANNOT_FOLLOW;
    size_t option = ob_follow_client(point, point->previous);
    if (option != OB_CANNOT_FOLLOW && is_put_back(whole, point, option))
        return option;
    for (size_t i = 0; i < point->option_count && whole->put_back == OB_PUT_BACK_FIRST; i++)
        if (is_put_back(whole, point, i))
            return i;
    return OB_CANNOT_FOLLOW;
}

static size_t choose_step(struct ob_whole *whole, const struct ob_choice_point *point)
{
    size_t option = eager_option(whole, point);
    for (size_t i = 0; i < whole->less->step_count && option == OB_CANNOT_FOLLOW; i++)
        if (!whole->made[i])
            option = ob_follow_client(point, whole->less->steps[i].client);
    if (option == OB_CANNOT_FOLLOW)
        option = ob_follow_client(point, point->previous);
    return take(whole, point, option == OB_CANNOT_FOLLOW ? 0 : option);
}

/* Who comes next in the order. */
static size_t choose_wake(const struct ob_whole *whole, const struct ob_choice_point *point)
{
    size_t best = 0, first = NO_STEP;
    for (size_t i = 0; i < point->option_count; i++) {
        size_t step = due_step(whole, point->clients[i], NULL);
        if (step < first) {
            first = step;
            best = i;
        }
    }
    return best;
}

static size_t choose(void *self, const struct ob_choice_point *point)
{
    struct ob_whole *whole = self;
    switch (point->kind) {
    case OB_CHOICE_PROGRAM:
        return whole->less->schedule.program;
    case OB_CHOICE_FAULT:
        return ob_plan_fault(point, &whole->less->schedule);
    case OB_CHOICE_WAKE:
        return choose_wake(whole, point);
    case OB_CHOICE_STEP:
    default:
        return choose_step(whole, point);
    }
}

void ob_whole_init(struct ob_whole *whole, const struct ob_trace *less, enum ob_put_back put_back)
{
    *whole = (struct ob_whole){.less = less, .put_back = put_back};
    whole->made = ob_alloc(less->step_count * sizeof *whole->made);
}

void ob_whole_clear(struct ob_whole *whole)
{
    free(whole->made);
    *whole = (struct ob_whole){0};
}

bool ob_whole_kept_order(const struct ob_whole *whole)
{
    return whole->made_count == whole->less->step_count && !whole->passed_over;
}

struct ob_chooser ob_whole_chooser(struct ob_whole *whole)
{
    return (struct ob_chooser){.self = whole, .restart = restart, .choose = choose};
}
