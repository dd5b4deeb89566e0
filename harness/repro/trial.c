#include "repro/shrink_int.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "explore/follower.h"
#include "explore/strategy.h"
#include "repro/plan.h"

#include <stdlib.h>
#include <string.h>

/* --- what is smaller */

static bool is_no_larger(const struct ob_run_size *a, const struct ob_run_size *b)
{
    return a->clients <= b->clients && a->faults <= b->faults && a->steps <= b->steps &&
           a->preemptions <= b->preemptions;
}

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_sizes(const struct ob_run_size *a, const struct ob_run_size *b)
{
    int order = compare_numbers(a->clients, b->clients);
    order = order ? order : compare_numbers(a->faults, b->faults);
    order = order ? order : compare_numbers(a->steps, b->steps);
    return order ? order : compare_numbers(a->preemptions, b->preemptions);
}

/* Of two runs of one size. */
static bool is_lower(const struct ob_schedule *a, const struct ob_schedule *b)
{
    return memcmp(a->clients, b->clients, a->step_count) < 0;
}

/* --- runs */

static void consider_stopping(struct ob_trials *trials)
{
    const struct ob_shrink_options *options = trials->options;
    struct ob_rig *rig = trials->rig;
    const struct ob_shrinking now = {
        .runs = trials->runs, .runs_max = options->runs_max, .size = trials->size};
    trials->stopped = trials->runs >= options->runs_max ||
                      rig->monotonic_us(rig->self) - trials->started_us >= options->budget_us ||
                      (options->progress && !options->progress(options->progress_arg, &now));
}

enum ob_result ob_trials_run(struct ob_trials *trials, const struct ob_chooser *chooser,
                             const struct ob_schedule *without, size_t faults,
                             struct ob_trace *trace, const char **rows, struct ob_error *err)
{
    struct ob_run_outcome outcome;
    ob_rig_leave_out(trials->rig, without, faults);
    trials->runs++;
    enum ob_result result = ob_rig_run(trials->rig, chooser, false, trace, &outcome, err);
    *rows = result == OB_OK ? ob_run_breaks(&outcome, trials->item) : NULL;
    consider_stopping(trials);
    return result;
}

/* --- trials */

uint64_t ob_trials_omissions(const struct ob_schedule *schedule)
{
    uint64_t sum = 1;
    for (size_t i = 0; i < schedule->omission_count; i++) {
        const struct ob_omission *omission = &schedule->omissions[i];
        uint64_t hash = ob_hash_u64(OB_HASH_START, omission->client);
        sum += ob_hash_end(ob_hash_u64(hash, 2 * (uint64_t)omission->at + omission->rest));
    }
    return sum;
}

/* Of what is asked for: the plan itself, or a search by it. */
static uint64_t digest(const struct ob_schedule *plan, size_t search)
{
    uint64_t hash = ob_hash_u64(ob_hash_u64(OB_HASH_START, search), plan->step_count);
    hash = ob_hash_bytes(hash, plan->clients, plan->step_count);
    hash = ob_hash_bytes(hash, plan->wakes, plan->wake_count);
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct ob_fault *fault = &plan->faults[i];
        hash = ob_hash_u64(ob_hash_u64(hash, fault->point), fault->client);
        hash = ob_hash_u64(ob_hash_u64(hash, fault->part), fault->nth);
        hash = ob_hash_u64(hash, fault->way);
    }
    return ob_hash_end(ob_hash_u64(hash, ob_trials_omissions(plan)));
}

/* Whether the other run counts and is smaller than the best one. */
static bool is_smaller(const struct ob_trials *trials, const char *rows)
{
    const struct ob_trace *other = &trials->other;
    if (!rows || other->end != trials->end || other->uncontrolled > 0)
        return false;
    struct ob_run_size size = ob_run_size(other);
    int order = compare_sizes(&size, &trials->size);
    return is_no_larger(&size, &trials->from) &&
           (order < 0 || (order == 0 && is_lower(&other->schedule, &trials->best.schedule)));
}

/* The other run becomes the best one; rows: what offends in it, taken over. */
static void take(struct ob_trials *trials, char *rows)
{
    struct ob_trace best = trials->other;
    trials->other = trials->best;
    trials->best = best;
    trials->size = ob_run_size(&trials->best);
    free(trials->rows);
    trials->rows = rows;
}

/* Whether something is left out by which a program could become wrong. */
static bool may_be_guilty(const struct ob_trials *trials, const struct ob_schedule *schedule)
{
    for (size_t i = 0; i < schedule->omission_count; i++)
        if (!trials->instant || !schedule->omissions[i].rest)
            return true;
    return false;
}

/* The run that was smaller is the best one if it is fair to the whole program. */
static enum ob_result judge(struct ob_trials *trials, const char *rows, bool *better,
                            struct ob_error *err)
{
    enum ob_result result = OB_OK;
    char *kept = ob_strdup(rows);
    *better = true;
    if (may_be_guilty(trials, &trials->other.schedule))
        result = ob_trials_is_fair(trials, kept, better, err);
    *better &= result == OB_OK;
    if (*better)
        take(trials, kept);
    else
        free(kept);
    return result;
}

/* strategy: learns from the run; may be NULL. */
static enum ob_result attempt(struct ob_trials *trials, const struct ob_schedule *plan,
                              const struct ob_chooser *chooser, struct ob_strategy *strategy,
                              bool *better, struct ob_error *err)
{
    const char *rows;
    *better = false;
    enum ob_result result =
        ob_trials_run(trials, chooser, plan, plan->fault_count, &trials->other, &rows, err);
    if (result == OB_OK && strategy)
        ob_strategy_learn(strategy, &trials->other);
    return result == OB_OK && is_smaller(trials, rows) ? judge(trials, rows, better, err) : result;
}

enum ob_result ob_trials_try(struct ob_trials *trials, const struct ob_schedule *plan, bool *better,
                             struct ob_error *err)
{
    *better = false;
    if (trials->stopped || !ob_tally_add(&trials->tried, digest(plan, 0)))
        return OB_OK;
    struct ob_plan planned;
    ob_plan_init(&planned, plan);
    struct ob_chooser chooser = ob_plan_chooser(&planned);
    enum ob_result result = attempt(trials, plan, &chooser, NULL, better, err);
    ob_plan_clear(&planned);
    return result;
}

/* A strategy's steps and wakes, a plan's faults and program. */
struct searching {
    struct ob_chooser steps, rest;
};

static void restart_search(void *self)
{
    const struct searching *searching = self;
    searching->steps.restart(searching->steps.self);
    searching->rest.restart(searching->rest.self);
}

static size_t choose_in_search(void *self, const struct ob_choice_point *point)
{
    const struct searching *searching = self;
    bool steps = point->kind == OB_CHOICE_STEP || point->kind == OB_CHOICE_WAKE;
    const struct ob_chooser *chooser = steps ? &searching->steps : &searching->rest;
    return chooser->choose(chooser->self, point);
}

static enum ob_result search(struct ob_trials *trials, const struct ob_schedule *plan,
                             struct ob_strategy *strategy, uint64_t runs_max, bool *better,
                             struct ob_error *err)
{
    struct ob_plan planned;
    enum ob_result result = OB_OK;
    ob_plan_init(&planned, plan);
    for (uint64_t i = 0; result == OB_OK && !trials->stopped; i++) {
        struct searching searching = {ob_strategy_chooser(strategy), ob_plan_chooser(&planned)};
        const struct ob_chooser chooser = {
            .self = &searching, .restart = restart_search, .choose = choose_in_search};
        bool now = false;
        if (!ob_strategy_next(strategy, i))
            break;
        trials->cut |= i == runs_max;
        if (i == runs_max)
            break;
        result = attempt(trials, plan, &chooser, strategy, &now, err);
        *better |= now;
    }
    ob_plan_clear(&planned);
    return result;
}

enum ob_result ob_trials_search(struct ob_trials *trials, const struct ob_schedule *plan,
                                size_t preemptions, uint64_t runs_max, bool *better,
                                struct ob_error *err)
{
    struct ob_schedule kept = {0};
    *better = false;
    ob_schedule_copy(&kept, plan);
    kept.step_count = kept.wake_count = 0;
    enum ob_result result = OB_OK;
    if (!trials->stopped && ob_tally_add(&trials->tried, digest(&kept, 1 + preemptions))) {
        struct ob_strategy *strategy =
            ob_strategy_new(OB_STRATEGY_BOUNDED, 0, trials->rig->spec.client_count);
        ob_strategy_set_argument(strategy, (unsigned)preemptions);
        result = search(trials, &kept, strategy, runs_max, better, err);
        ob_strategy_free(strategy);
    }
    ob_schedule_clear(&kept);
    return result;
}

/* --- the beginning and the end */

static enum ob_result look(struct ob_trials *trials, const struct ob_schedule *schedule, bool *same,
                           uint64_t *first, struct ob_error *err)
{
    struct ob_follower follower = {.schedule = schedule};
    struct ob_chooser chooser = ob_follower_chooser(&follower);
    const char *rows;
    enum ob_result result = ob_trials_run(trials, &chooser, schedule, schedule->fault_count,
                                          &trials->other, &rows, err);
    if (result != OB_OK)
        return result;
    uint64_t now = ob_trace_digest(&trials->other);
    *same = rows && (*first == 0 || *first == now);
    *first = now;
    if (*same)
        take(trials, ob_strdup(rows));
    return OB_OK;
}

void ob_trials_init(struct ob_trials *trials)
{
    trials->fault_budget = trials->rig->spec.fault_budget;
    ob_trace_init(&trials->best);
    ob_trace_init(&trials->other);
    ob_trace_init(&trials->beside);
    trials->started_us = trials->rig->monotonic_us(trials->rig->self);
}

enum ob_result ob_trials_begin(struct ob_trials *trials, const struct ob_schedule *schedule,
                               unsigned looks, struct ob_error *err)
{
    uint64_t first = 0;
    enum ob_result result = OB_OK;
    for (unsigned i = 0; i < looks && result == OB_OK; i++) {
        bool same = false;
        result = look(trials, schedule, &same, &first, err);
        trials->looks += result == OB_OK;
        trials->same += same;
    }
    trials->from = trials->size;
    if (result != OB_OK || trials->same < looks)
        return result;
    trials->end = trials->best.end;
    trials->instant = ob_check_is_instant(trials->rig->check, trials->item);
    return ob_trials_is_innocent(trials, schedule, &trials->innocent, err);
}

void ob_trials_clear(struct ob_trials *trials)
{
    static const struct ob_schedule whole;
    ob_rig_leave_out(trials->rig, &whole, trials->fault_budget);
    ob_trace_clear(&trials->best);
    ob_trace_clear(&trials->other);
    ob_trace_clear(&trials->beside);
    free(trials->rows);
    ob_tally_clear(&trials->tried);
}
