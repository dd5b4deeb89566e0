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

static enum ob_result run(struct ob_trials *trials, const struct ob_chooser *chooser,
                          const struct ob_schedule *schedule, size_t faults, const char **rows,
                          struct ob_error *err)
{
    struct ob_run_outcome outcome;
    ob_rig_leave_out(trials->rig, schedule, faults);
    trials->runs++;
    enum ob_result result = ob_rig_run(trials->rig, chooser, false, &trials->other, &outcome, err);
    *rows = result == OB_OK ? ob_run_breaks(&outcome, trials->item) : NULL;
    return result;
}

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

/* --- innocence */

/* The n-th order of the clients, false when there are no more.  Of three, all; else
 * each comes first once, of the first six. */
static bool make_order(size_t n, size_t count, size_t order[OB_CLIENTS_MAX])
{
    static const unsigned char of_three[][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1},
                                                {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
    if (n >= OB_ORDERS_MAX || (count != 3 && n >= count))
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = count == 3 ? of_three[n][i] : (n + i) % count;
    return true;
}

/* Whether the clients, without these parts, break nothing in any order one after the other. */
static enum ob_result is_innocent(struct ob_trials *trials, const struct ob_schedule *schedule,
                                  bool *out, struct ob_error *err)
{
    size_t order[OB_CLIENTS_MAX], count = trials->rig->spec.client_count;
    enum ob_result result = OB_OK;
    *out = true;
    for (size_t n = 0; result == OB_OK && *out && make_order(n, count, order); n++) {
        struct ob_turns turns = {.program = schedule->program, .order = order, .count = count};
        struct ob_chooser chooser = ob_turns_chooser(&turns);
        const char *rows;
        result = run(trials, &chooser, schedule, 0, &rows, err);
        *out = rows == NULL;
    }
    return result;
}

/* --- trials */

/* Of what is asked for: the plan itself, or a search by it. */
static uint64_t digest(const struct ob_schedule *plan, size_t search)
{
    uint64_t hash = ob_hash_u64(ob_hash_u64(OB_HASH_START, search), plan->step_count);
    hash = ob_hash_bytes(hash, plan->clients, plan->step_count);
    hash = ob_hash_bytes(hash, plan->wakes, plan->wake_count);
    for (size_t i = 0; i < plan->fault_count; i++) {
        const struct ob_fault *fault = &plan->faults[i];
        hash = ob_hash_u64(ob_hash_u64(hash, fault->point), fault->client);
        hash = ob_hash_u64(ob_hash_u64(hash, fault->hit), fault->way);
    }
    for (size_t i = 0; i < plan->omission_count; i++) {
        const struct ob_omission *omission = &plan->omissions[i];
        hash = ob_hash_u64(hash, omission->client);
        hash = ob_hash_u64(hash, 2 * (uint64_t)omission->at + omission->rest);
    }
    return ob_hash_end(hash);
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

static void take(struct ob_trials *trials, char *rows)
{
    struct ob_trace best = trials->other;
    trials->other = trials->best;
    trials->best = best;
    trials->size = ob_run_size(&trials->best);
    free(trials->rows);
    trials->rows = rows;
}

/* Whether the plan leaves out something that the best run does not, by which a program could become
 * wrong. */
static bool may_be_guilty(const struct ob_trials *trials, const struct ob_schedule *plan)
{
    const struct ob_schedule *best = &trials->best.schedule;
    for (size_t i = 0; i < plan->omission_count; i++) {
        const struct ob_omission *omission = &plan->omissions[i];
        bool known = trials->instant && omission->rest;
        for (size_t k = 0; k < best->omission_count && !known; k++)
            known = best->omissions[k].client == omission->client &&
                    best->omissions[k].rest == omission->rest &&
                    best->omissions[k].at == omission->at;
        if (!known)
            return true;
    }
    return false;
}

/* The run that was smaller is the best one if what is left of the clients is innocent too.  It is
 * then made again, since judging that has overwritten it. */
static enum ob_result judge(struct ob_trials *trials, const char *rows, bool *better,
                            struct ob_error *err)
{
    struct ob_schedule schedule = {0};
    enum ob_result result = OB_OK;
    *better = true;
    ob_schedule_copy(&schedule, &trials->other.schedule);
    if (may_be_guilty(trials, &schedule)) {
        struct ob_follower follower = {.schedule = &schedule};
        struct ob_chooser again = ob_follower_chooser(&follower);
        result = is_innocent(trials, &schedule, better, err);
        if (result == OB_OK && *better)
            result = run(trials, &again, &schedule, schedule.fault_count, &rows, err);
        *better = result == OB_OK && *better && is_smaller(trials, rows);
    }
    ob_schedule_clear(&schedule);
    if (*better)
        take(trials, ob_strdup(rows));
    return result;
}

/* strategy: learns from the run; may be NULL. */
static enum ob_result attempt(struct ob_trials *trials, const struct ob_schedule *plan,
                              const struct ob_chooser *chooser, struct ob_strategy *strategy,
                              bool *better, struct ob_error *err)
{
    const char *rows;
    *better = false;
    enum ob_result result = run(trials, chooser, plan, plan->fault_count, &rows, err);
    if (result == OB_OK && strategy)
        ob_strategy_learn(strategy, &trials->other);
    if (result == OB_OK && is_smaller(trials, rows))
        result = judge(trials, rows, better, err);
    if (result == OB_INTERRUPTED) {
        trials->stopped = true;
        return OB_OK;
    }
    consider_stopping(trials);
    return result;
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
    for (uint64_t i = 0; i < runs_max && result == OB_OK && !trials->stopped; i++) {
        struct searching searching = {ob_strategy_chooser(strategy), ob_plan_chooser(&planned)};
        const struct ob_chooser chooser = {
            .self = &searching, .restart = restart_search, .choose = choose_in_search};
        bool now = false;
        if (!ob_strategy_next(strategy, i))
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
    enum ob_result result = run(trials, &chooser, schedule, schedule->fault_count, &rows, err);
    if (result != OB_OK)
        return result;
    uint64_t now = ob_trace_digest(&trials->other);
    *same = rows && (*first == 0 || *first == now);
    *first = now;
    if (*same)
        take(trials, ob_strdup(rows));
    return OB_OK;
}

enum ob_result ob_trials_begin(struct ob_trials *trials, const struct ob_schedule *schedule,
                               unsigned looks, unsigned *same, struct ob_error *err)
{
    uint64_t first = 0;
    enum ob_result result = OB_OK;
    trials->fault_budget = trials->rig->spec.fault_budget;
    ob_trace_init(&trials->best);
    ob_trace_init(&trials->other);
    trials->started_us = trials->rig->monotonic_us(trials->rig->self);
    *same = 0;
    for (unsigned i = 0; i < looks && result == OB_OK; i++) {
        bool is_same = false;
        result = look(trials, schedule, &is_same, &first, err);
        *same += is_same;
    }
    if (result != OB_OK || *same < looks)
        return result;
    trials->end = trials->best.end;
    trials->from = trials->size;
    trials->instant = ob_check_is_instant(trials->rig->check, trials->item);
    return is_innocent(trials, schedule, &trials->innocent, err);
}

void ob_trials_end(struct ob_trials *trials)
{
    static const struct ob_schedule whole;
    ob_rig_leave_out(trials->rig, &whole, trials->fault_budget);
    ob_trace_clear(&trials->best);
    ob_trace_clear(&trials->other);
    free(trials->rows);
    ob_tally_clear(&trials->tried);
}
