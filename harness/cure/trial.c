/* trial.c - a cure in place: clients one after the other, the same schedule, and a fresh
 * exploration.  See cure.h. */
#include "cure/cure_int.h"

#include "base/buf.h"
#include "explore/explore.h"
#include "explore/finding.h"
#include "repro/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OB_CURE_SHOWN_MAX ((size_t)1 << 20)

struct trying {
    const struct ob_cure_case *of;
    const struct ob_cure *cure;
    const struct ob_cure_place *place;
    struct ob_cure_trial *out;
    bool breaks_on_schedule, found; /* the invariant was broken there, or in the exploration */
    bool undecided;

    /* Of the schedule and the exploration together: runs without faults in which a client ended
     * so. */
    uint64_t deadlocked, gave_up;
};

static const struct {
    const char *word, *cell;
} words[] = {
    [OB_CURE_CURED] = {"cured", "holds"},
    [OB_CURE_NOT_CURED] = {"not cured", "breaks"},
    [OB_CURE_DEADLOCKS] = {"cured but deadlocks", "deadlocks"},
    [OB_CURE_GIVES_UP] = {"cured but gives up", "gives up"},
    [OB_CURE_REJECTS] = {"cured but rejects what is valid", "rejects"},
    [OB_CURE_BREAKS] = {"cured but breaks something else", "breaks another"},
    [OB_CURE_UNDECIDED] = {"undecided", "undecided"},
    [OB_CURE_NOT_APPLIED] = {"could not be applied", "not applied"},
};

const char *ob_cure_verdict_word(enum ob_cure_verdict verdict)
{
    return words[verdict].word;
}

const char *ob_cure_cell_word(enum ob_cure_verdict verdict)
{
    return words[verdict].cell;
}

/* --- one after the other */

/* Whether all that worked without the cure works with it, and comes to the same.  Another flow of
 * the reference leaves other rows; what it must not reject is told by an invariant. */
static bool leaves_as_it_was(const struct ob_cure_case *of, const struct ob_cure_order *orders)
{
    if (of->scenario->target == OB_TARGET_REFERENCE)
        return true;
    for (size_t i = 0; i < of->order_count; i++) {
        const struct ob_cure_order *before = &of->orders[i], *now = &orders[i];
        if (!before->breaks &&
            (now->breaks || now->errors > before->errors || now->state != before->state))
            return false;
    }
    return true;
}

static enum ob_result try_orders(struct trying *t, bool *rejects, struct ob_error *err)
{
    struct ob_cure_case shadow = *t->of; /* with an arena of its own */
    struct ob_cure_look look = {.of = &shadow, .place = t->place};
    struct ob_cure_order orders[OB_CURE_ORDERS_MAX];
    size_t count;
    ob_arena_init(&shadow.arena);
    ob_trace_init(&look.trace);
    enum ob_result result = ob_cure_try_orders(&look, orders, &count, err);
    if (result == OB_OK && look.unaccepted)
        ob_cure_not_applied(t->out, look.unaccepted);
    *rejects = result == OB_OK && !leaves_as_it_was(t->of, orders);
    ob_trace_clear(&look.trace);
    ob_arena_clear(&shadow.arena);
    return result;
}

/* --- what becomes of a client */

static bool is_lost(const char *sqlstate)
{
    return strcmp(sqlstate, "40P01") == 0 || strcmp(sqlstate, "40001") == 0;
}

/* Whether the step ended what the client itself did in it, a rollback: what somebody else waited
 * for may have ended beside that. */
static bool is_rolled_back(const struct ob_step *step, const struct ob_completion *ended)
{
    return step->kind == OB_OP_ROLLBACK && step->client == ended->client;
}

void ob_cure_losses_of(const struct ob_trace *trace, bool goes_on, struct ob_cure_losses *out)
{
    const char *last[OB_CLIENTS_MAX] = {NULL};
    *out = (struct ob_cure_losses){0};
    for (size_t i = 0; i < trace->step_count; i++) {
        const struct ob_step *step = &trace->steps[i];
        for (size_t k = 0; k < step->completion_count; k++) {
            const struct ob_completion *ended = &step->completions[k];
            const char **its = &last[ended->client];
            if (!is_rolled_back(step, ended) && !(goes_on && *its && is_lost(*its)))
                *its = ended->sqlstate;
        }
    }
    for (size_t i = 0; i < OB_CLIENTS_MAX; i++) {
        out->deadlocked |= last[i] && strcmp(last[i], "40P01") == 0;
        out->gave_up |= last[i] && strcmp(last[i], "40001") == 0;
    }
}

static void watch(void *arg, const struct ob_trace *trace)
{
    struct trying *t = arg;
    struct ob_cure_losses lost;
    if (trace->schedule.fault_count > 0)
        return;
    ob_cure_losses_of(trace, t->of->scenario->target == OB_TARGET_SPEC, &lost);
    t->deadlocked += lost.deadlocked || trace->end == OB_RUN_STUCK;
    t->gave_up += lost.gave_up;
    t->out->fails = t->gave_up > 0 || t->deadlocked > 0;
}

static const char *name_of(const struct trying *t, size_t item)
{
    return ob_check_name(t->place->rig->check, item);
}

/* --- the same schedule */

static const char *print(struct trying *t, const struct ob_trace *trace)
{
    struct ob_buf text;
    ob_buf_init(&text, OB_CURE_SHOWN_MAX);
    ob_trace_print(trace, t->place->rig->client_names, false, &text);
    const char *kept = ob_arena_strdup(&t->out->arena, ob_buf_failed(&text) ? "" : text.data);
    ob_buf_clear(&text);
    return kept;
}

/* Of this invariant alone: a run that was made small leaves things out, by which others may be
 * broken that the whole program keeps. */
static const char *outcome_word(struct trying *t, const struct ob_run_outcome *outcome)
{
    const struct ob_trace *trace = &t->out->trace;
    t->breaks_on_schedule = ob_run_breaks(outcome, t->of->item) != NULL;
    if (t->breaks_on_schedule) {
        t->out->breaks = ob_arena_strdup(&t->out->arena, name_of(t, t->of->item));
        t->out->shown = print(t, trace);
        return "violated";
    }
    if (trace->end != OB_RUN_FINISHED && trace->end != OB_RUN_STUCK)
        t->undecided = true;
    if (trace->end != OB_RUN_FINISHED)
        return ob_run_end_text(trace->end);
    return "holds";
}

static enum ob_result follow(struct trying *t, struct ob_error *err)
{
    struct ob_rig *rig = t->place->rig;
    const struct ob_run_spec before = rig->spec;
    struct ob_schedule schedule = {0};
    struct ob_run_outcome outcome;
    struct ob_plan plan;
    ob_cure_plan(t->of, t->cure, &schedule);
    ob_plan_init(&plan, &schedule);
    struct ob_chooser chooser = ob_plan_chooser(&plan);
    ob_rig_leave_out(rig, &schedule, schedule.fault_count);
    rig->spec.gates = t->of->scenario->variants[t->of->variant].gates;
    enum ob_result result = ob_rig_run(rig, &chooser, false, &t->out->trace, &outcome, err);
    rig->spec = before;
    if (result == OB_OK) {
        t->out->on_schedule = outcome_word(t, &outcome);
        watch(t, &t->out->trace);
    }
    ob_plan_clear(&plan);
    ob_schedule_clear(&schedule);
    return result;
}

/* --- exploring */

static bool progress(void *arg, const struct ob_explored *explored)
{
    const struct trying *t = arg;
    return !t->place->progress || t->place->progress(t->place->progress_arg, explored->runs);
}

static void conclude(struct trying *t, const struct ob_exploration *found)
{
    struct ob_cure_trial *out = t->out;
    struct ob_arena *arena = &out->arena;
    out->runs = found->runs;
    out->exhausted = found->exhausted;
    out->reduced = found->reduced;
    for (size_t i = 0; i < found->finding_count; i++) {
        const struct ob_finding *finding = &found->findings[i];
        if (finding->item == t->of->item) {
            t->found = true;
            out->breaks = ob_arena_strdup(arena, name_of(t, finding->item));
            out->shown = ob_arena_strdup(arena, finding->trace);
            out->in_exploration = ob_arena_printf(arena, "violated in run %" PRIu64, finding->run);
            return;
        }
        if (*out->breaks == '\0')
            out->breaks = ob_arena_strdup(arena, name_of(t, finding->item));
    }
    bool proves = found->complete && found->runs > 0 && found->inconclusive == OB_RUN_FINISHED;
    t->undecided |= !proves;
    if (!proves)
        out->in_exploration = found->runs == 0 ? "not made" : "broken off";
    else if (*out->breaks != '\0')
        out->in_exploration = ob_arena_printf(arena, "breaks %s", out->breaks);
    else if (t->deadlocked > 0)
        out->in_exploration =
            ob_arena_printf(arena, "holds, %" PRIu64 " deadlocked", t->deadlocked);
    else if (found->exhausted)
        out->in_exploration = found->reduced ? "holds, all that matter" : "holds, all tried";
    else
        out->in_exploration = "holds";
}

static enum ob_result explore(struct trying *t, struct ob_error *err)
{
    const struct ob_explore_options options = {
        .strategy = t->place->strategy,
        .argument = &t->place->argument,
        .seed = t->place->seed,
        .runs_max = t->place->runs_max,
        .budget_us = t->place->budget_us,
        .until = name_of(t, t->of->item),
        .progress = progress,
        .progress_arg = t,
        .seen = watch,
        .seen_arg = t,
    };
    struct ob_exploration found;
    enum ob_result result = ob_explore(t->place->rig, &options, &found, err);
    if (result == OB_OK)
        conclude(t, &found);
    ob_exploration_clear(&found);
    return result;
}

/* --- all together */

void ob_cure_not_applied(struct ob_cure_trial *out, const char *why)
{
    out->verdict = OB_CURE_NOT_APPLIED;
    out->why = ob_arena_strdup(&out->arena, why);
    out->on_schedule = out->in_exploration = "not run";
}

static enum ob_cure_verdict judge(const struct trying *t, bool rejects)
{
    if (t->breaks_on_schedule || t->found)
        return OB_CURE_NOT_CURED;
    if (t->undecided)
        return OB_CURE_UNDECIDED;
    if (t->deadlocked > 0)
        return OB_CURE_DEADLOCKS;
    if (rejects)
        return OB_CURE_REJECTS;
    if (t->gave_up > 0)
        return OB_CURE_GIVES_UP;
    return *t->out->breaks != '\0' ? OB_CURE_BREAKS : OB_CURE_CURED;
}

void ob_cure_trial_init(struct ob_cure_trial *trial)
{
    *trial = (struct ob_cure_trial){
        .verdict = OB_CURE_UNDECIDED,
        .why = "",
        .on_schedule = "",
        .in_exploration = "",
        .breaks = "",
        .shown = "",
    };
    ob_arena_init(&trial->arena);
    ob_trace_init(&trial->trace);
}

enum ob_result ob_cure_try(const struct ob_cure_case *of, const struct ob_cure *cure,
                           const struct ob_cure_place *place, struct ob_cure_trial *out,
                           struct ob_error *err)
{
    struct trying t = {.of = of, .cure = cure, .place = place, .out = out};
    bool rejects;
    enum ob_result result = try_orders(&t, &rejects, err);
    if (result != OB_OK || out->verdict == OB_CURE_NOT_APPLIED)
        return result;
    result = follow(&t, err);
    if (result == OB_OK)
        result = explore(&t, err);
    if (result == OB_OK)
        out->verdict = judge(&t, rejects);
    return result;
}

void ob_cure_trial_clear(struct ob_cure_trial *trial)
{
    ob_trace_clear(&trial->trace);
    ob_arena_clear(&trial->arena);
}
