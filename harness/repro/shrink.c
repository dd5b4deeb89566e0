#include "repro/shrink_int.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define BOUND_MAX 1
#define SEARCH_RUNS 120 /* of one search */
#define LOOKS 3         /* at the run that is given, before anything is tried */

/* Every pass tries smaller plans until one that it has found to be better leaves nothing to be
 * tried; *helped is set when there was any. */
typedef enum ob_result pass(struct ob_trials *trials, bool *helped, struct ob_error *err);

static const struct ob_schedule *best(const struct ob_trials *trials)
{
    return &trials->best.schedule;
}

/* Tries the plan, and frees what it owns. */
static enum ob_result try_plan(struct ob_trials *trials, struct ob_schedule *plan, bool *better,
                               struct ob_error *err)
{
    enum ob_result result = ob_trials_try(trials, plan, better, err);
    ob_schedule_clear(plan);
    return result;
}

/* Whether it can mean anything that a client stops early, or does not begin. */
static bool may_stop(const struct ob_trials *trials)
{
    return trials->innocent || trials->instant;
}

/* More preemptions than that have too many schedules to be searched. */
static size_t bound(const struct ob_trials *trials)
{
    return trials->size.preemptions < BOUND_MAX ? trials->size.preemptions : BOUND_MAX;
}

/* --- clients */

static void drop_client(struct ob_schedule *plan, size_t client)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->omission_count; i++)
        if (plan->omissions[i].client != client)
            plan->omissions[kept++] = plan->omissions[i];
    plan->omission_count = kept;
    ob_schedule_add_omission(plan, (struct ob_omission){.client = client, .rest = true});
}

static enum ob_result try_clients(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (!may_stop(trials))
        return OB_OK;
    for (size_t client = trials->rig->spec.client_count; client-- > 0 && result == OB_OK;) {
        struct ob_schedule plan = {0};
        bool better;
        ob_schedule_copy(&plan, best(trials));
        drop_client(&plan, client);
        result = ob_trials_try(trials, &plan, &better, err);
        if (result == OB_OK && !better)
            result = ob_trials_search(trials, &plan, bound(trials), SEARCH_RUNS, &better, err);
        ob_schedule_clear(&plan);
        *helped |= better;
    }
    return result;
}

/* --- faults */

static enum ob_result try_without_fault(struct ob_trials *trials, size_t index, bool *better,
                                        struct ob_error *err)
{
    struct ob_schedule plan = {0};
    ob_schedule_copy(&plan, best(trials));
    memmove(&plan.faults[index], &plan.faults[index + 1],
            (--plan.fault_count - index) * sizeof *plan.faults);
    return try_plan(trials, &plan, better, err);
}

/* The steps that the client makes in that part: it comes to no fault's point more often. */
static uint32_t count_chances(const struct ob_trace *trace, size_t client, uint32_t part)
{
    uint32_t count = 0;
    for (size_t i = 0; i < trace->step_count; i++)
        count += trace->steps[i].client == client && trace->steps[i].part == part;
    return count;
}

/* Tries that fault in place of one, until there are fewer of them. */
static enum ob_result try_other_fault(struct ob_trials *trials, size_t index,
                                      const struct ob_fault *fault, bool *helped,
                                      struct ob_error *err)
{
    struct ob_schedule plan = {0};
    bool better;
    if (index >= best(trials)->fault_count)
        return OB_OK;
    ob_schedule_copy(&plan, best(trials));
    plan.faults[index] = *fault;
    enum ob_result result = try_plan(trials, &plan, &better, err);
    *helped |= better;
    return result;
}

/* A fault that strikes elsewhere, or in another way, can take less: each of its ways, each time
 * that its client comes to its point until then. */
static enum ob_result try_fault_elsewhere(struct ob_trials *trials, size_t index, bool *helped,
                                          struct ob_error *err)
{
    struct ob_fault fault = best(trials)->faults[index];
    const unsigned ways = trials->rig->spec.fault_points[fault.point].ways;
    const uint32_t last = fault.part;
    enum ob_result result = OB_OK;
    for (fault.part = 0; fault.part <= last; fault.part++) {
        const uint32_t chances = count_chances(&trials->best, fault.client, fault.part);
        for (fault.nth = 0; fault.nth < chances; fault.nth++)
            for (fault.way = 1; fault.way <= ways && result == OB_OK; fault.way++)
                result = try_other_fault(trials, index, &fault, helped, err);
    }
    return result;
}

static enum ob_result try_faults(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = best(trials)->fault_count; i-- > 0 && result == OB_OK;) {
        bool better;
        result = try_without_fault(trials, i, &better, err);
        if (result == OB_OK && !better)
            result = try_fault_elsewhere(trials, i, &better, err);
        *helped |= better;
    }
    return result;
}

/* --- parts */

static bool is_left_out(const struct ob_schedule *schedule, size_t client, uint32_t part)
{
    for (size_t i = 0; i < schedule->omission_count; i++) {
        const struct ob_omission *omission = &schedule->omissions[i];
        if (omission->client == client &&
            (omission->rest ? omission->at == 0 : omission->at == part))
            return true;
    }
    return false;
}

/* The steps of what the plan leaves out are those of other parts otherwise. */
static void drop_steps(struct ob_schedule *plan, const struct ob_trace *trace)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        if (!is_left_out(plan, trace->steps[i].client, trace->steps[i].part))
            plan->clients[kept++] = plan->clients[i];
    plan->step_count = kept;
}

/* Tries to do without those parts that are wanted; search: in other schedules too. */
static enum ob_result try_without(struct ob_trials *trials, size_t client,
                                  const struct ob_part *parts, const bool *wanted, size_t count,
                                  bool search, bool *helped, struct ob_error *err)
{
    struct ob_schedule plan = {0};
    bool better = false, any = false;
    ob_schedule_copy(&plan, best(trials));
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i] || is_left_out(&plan, client, parts[i].number))
            continue;
        ob_schedule_add_omission(&plan,
                                 (struct ob_omission){.client = client, .at = parts[i].number});
        any = true;
    }
    drop_steps(&plan, &trials->best);
    enum ob_result result = any ? ob_trials_try(trials, &plan, &better, err) : OB_OK;
    if (result == OB_OK && any && !better && search)
        result = ob_trials_search(trials, &plan, bound(trials), SEARCH_RUNS, &better, err);
    ob_schedule_clear(&plan);
    *helped |= better;
    return result;
}

/* Whole transactions, then only their beginnings and ends.  Without these others see earlier what
 * was written, so the schedule that shows it may be another one. */
static enum ob_result try_transactions(struct ob_trials *trials, size_t client,
                                       const struct ob_part *parts, size_t count, bool *wanted,
                                       bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    uint32_t last = 0;
    for (size_t i = 0; i < count; i++)
        last = parts[i].transaction > last ? parts[i].transaction : last;
    for (int brackets = 0; brackets < 2; brackets++) {
        for (uint32_t t = 1; t <= last && result == OB_OK; t++) {
            for (size_t i = 0; i < count; i++)
                wanted[i] = parts[i].transaction == t && (parts[i].bracket || !brackets);
            result = try_without(trials, client, parts, wanted, count, brackets, helped, err);
        }
    }
    return result;
}

/* Runs of so many statements or actions that follow each other, then of half as many, …; the
 * last ones first, since what comes later often needs what came before. */
static enum ob_result try_runs_of_parts(struct ob_trials *trials, size_t client,
                                        const struct ob_part *parts, size_t count, bool *wanted,
                                        bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t size = count / 2 > 0 ? count / 2 : 1; size > 0; size /= 2) {
        for (size_t end = count; end > 0 && result == OB_OK; end -= end < size ? end : size) {
            for (size_t i = 0; i < count; i++)
                wanted[i] = i < end && i + size >= end && !parts[i].bracket;
            result = try_without(trials, client, parts, wanted, count, false, helped, err);
        }
    }
    return result;
}

static enum ob_result try_parts(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    struct ob_rig *rig = trials->rig;
    enum ob_result result = OB_OK;
    if (!rig->parts || !trials->innocent)
        return OB_OK;
    for (size_t client = 0; client < rig->spec.client_count && result == OB_OK; client++) {
        struct ob_part *parts = NULL;
        size_t count = rig->parts(rig->self, client, &parts);
        bool *wanted = ob_alloc(count * sizeof *wanted);
        result = try_transactions(trials, client, parts, count, wanted, helped, err);
        if (result == OB_OK)
            result = try_runs_of_parts(trials, client, parts, count, wanted, helped, err);
        free(wanted);
        free(parts);
    }
    return result;
}

/* --- the rest */

/* Operations that the client has made. */
static uint32_t count_ops(const struct ob_trace *trace, size_t client)
{
    uint32_t count = 0;
    for (size_t i = 0; i < trace->step_count; i++)
        count += trace->steps[i].client == client && trace->steps[i].kind != OB_OP_GATE;
    return count;
}

static void stop_after(struct ob_schedule *plan, size_t client, uint32_t ops)
{
    for (size_t i = 0; i < plan->omission_count; i++)
        if (plan->omissions[i].client == client && plan->omissions[i].rest) {
            plan->omissions[i].at = ops;
            return;
        }
    ob_schedule_add_omission(plan, (struct ob_omission){.client = client, .rest = true, .at = ops});
}

/* By as many operations earlier as it takes, then by half as many, … */
static enum ob_result try_to_stop(struct ob_trials *trials, size_t client, bool *helped,
                                  struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (uint32_t by = count_ops(&trials->best, client) / 2; by > 0 && result == OB_OK;) {
        uint32_t ops = count_ops(&trials->best, client);
        struct ob_schedule plan = {0};
        bool better = false;
        ob_schedule_copy(&plan, best(trials));
        if (ops > by) {
            stop_after(&plan, client, ops - by);
            result = ob_trials_try(trials, &plan, &better, err);
        }
        ob_schedule_clear(&plan);
        *helped |= better;
        by = better ? by : by / 2;
    }
    return result;
}

static enum ob_result try_rest(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (!may_stop(trials))
        return OB_OK;
    for (size_t client = 0; client < trials->rig->spec.client_count && result == OB_OK; client++)
        result = try_to_stop(trials, client, helped, err);
    return result;
}

/* --- the schedule */

/* Where the block of steps of one client that begins there ends. */
static size_t block_end(const struct ob_schedule *schedule, size_t begin)
{
    size_t end = begin;
    while (end < schedule->step_count && schedule->clients[end] == schedule->clients[begin])
        end++;
    return end;
}

/* Lets two neighbouring pieces of the plan, begin … middle … end, change places. */
static void exchange(struct ob_schedule *plan, size_t begin, size_t middle, size_t end)
{
    size_t first = middle - begin, second = end - middle;
    uint8_t *moved = ob_alloc(first);
    memcpy(moved, plan->clients + begin, first);
    memmove(plan->clients + begin, plan->clients + middle, second);
    memcpy(plan->clients + begin + second, moved, first);
    free(moved);
}

static enum ob_result try_exchange(struct ob_trials *trials, size_t begin, size_t middle,
                                   size_t end, bool *helped, struct ob_error *err)
{
    struct ob_schedule plan = {0};
    bool better;
    ob_schedule_copy(&plan, best(trials));
    exchange(&plan, begin, middle, end);
    enum ob_result result = try_plan(trials, &plan, &better, err);
    *helped |= better;
    return result;
}

/* Two blocks that follow each other change places, so that one of them meets steps of its own
 * client. */
static enum ob_result try_switches(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t begin = 0; result == OB_OK && begin < best(trials)->step_count;) {
        size_t middle = block_end(best(trials), begin);
        if (middle == best(trials)->step_count)
            break;
        bool better = false;
        result = try_exchange(trials, begin, middle, block_end(best(trials), middle), &better, err);
        *helped |= better;
        begin = better ? 0 : middle;
    }
    return result;
}

static enum ob_result try_order(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; result == OB_OK && i + 1 < best(trials)->step_count;) {
        bool better = false;
        if (best(trials)->clients[i] != best(trials)->clients[i + 1])
            result = try_exchange(trials, i, i + 1, i + 2, &better, err);
        *helped |= better;
        i = better && i > 0 ? i - 1 : i + 1;
    }
    return result;
}

/* All schedules of so few preemptions, of what is left of the clients. */
static enum ob_result try_all(struct ob_trials *trials, bool *helped, struct ob_error *err)
{
    struct ob_schedule plan = {0};
    bool better;
    ob_schedule_copy(&plan, best(trials));
    enum ob_result result =
        ob_trials_search(trials, &plan, bound(trials), SEARCH_RUNS, &better, err);
    ob_schedule_clear(&plan);
    *helped |= better;
    return result;
}

/* --- all of it */

static enum ob_result shrink(struct ob_trials *trials, struct ob_error *err)
{
    static pass *const passes[] = {try_clients,  try_faults, try_parts, try_rest,
                                   try_switches, try_order,  try_all};
    enum ob_result result = OB_OK;
    for (bool helped = true; helped && !trials->stopped && result == OB_OK;) {
        helped = false;
        for (size_t i = 0; i < sizeof passes / sizeof *passes && result == OB_OK; i++)
            result = passes[i](trials, &helped, err);
    }
    return result;
}

/* Made again as it was, which must be so each time. */
static enum ob_result confirm(struct ob_trials *trials, struct ob_shrunk *out, struct ob_error *err)
{
    struct ob_rig *rig = trials->rig;
    ob_finding_record(&out->finding, rig, &trials->best, trials->item, trials->rows, 0);
    ob_rig_leave_out(rig, &out->finding.schedule, out->finding.schedule.fault_count);
    return ob_findings_confirm(&out->finding, 1, rig, &trials->best, err);
}

/* Who interrupts is given what there is until then. */
static enum ob_result keep_going(struct ob_trials *trials, enum ob_result result)
{
    if (result != OB_INTERRUPTED || trials->looks == 0)
        return result;
    trials->stopped = true;
    return OB_OK;
}

static void tell(struct ob_trials *trials, struct ob_shrunk *out)
{
    out->same = trials->same;
    out->looks = trials->looks;
    out->runs = trials->runs;
    out->stopped = trials->stopped;
    out->complete = !trials->stopped && !trials->cut;
    out->innocent = trials->innocent;
    out->from = trials->from;
    out->size = trials->size;
    out->trace = trials->best;
    ob_trace_init(&trials->best);
}

enum ob_result ob_shrink(struct ob_rig *rig, const struct ob_schedule *schedule, size_t item,
                         const struct ob_shrink_options *options, struct ob_shrunk *out,
                         struct ob_error *err)
{
    struct ob_trials trials = {.rig = rig, .options = options, .item = item};
    *out = (struct ob_shrunk){0};
    ob_trials_init(&trials);
    enum ob_result result = keep_going(&trials, ob_trials_begin(&trials, schedule, LOOKS, err));
    bool steady = result == OB_OK && trials.same == trials.looks;
    if (steady)
        result = keep_going(&trials, shrink(&trials, err));
    if (steady && result == OB_OK)
        result = keep_going(&trials, confirm(&trials, out, err));
    tell(&trials, out);
    ob_trials_clear(&trials);
    if (result != OB_OK)
        ob_shrunk_clear(out);
    return result;
}

void ob_shrunk_clear(struct ob_shrunk *shrunk)
{
    ob_finding_clear(&shrunk->finding);
    ob_trace_clear(&shrunk->trace);
}
