#include "explore/explore.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "explore/checkpoint.h"
#include "explore/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exploring {
    struct ob_rig *rig;
    const struct ob_explore_options *options;
    struct ob_strategy *strategy;
    struct ob_exploration *out;
    struct ob_trace trace;
    uint64_t next; /* for the strategy: runs that were prepared or passed over */
    int64_t started_us, spent_before_us;
    struct ob_checkpoint checkpoint; /* where one is kept */
};

/* With what a checkpoint tells of. */
static int64_t spent_us(const struct exploring *e)
{
    return e->spent_before_us + e->rig->monotonic_us(e->rig->self) - e->started_us;
}

static bool is_known(const struct ob_exploration *out, size_t item)
{
    for (size_t i = 0; i < out->finding_count; i++)
        if (out->findings[i].item == item)
            return true;
    return false;
}

/* Records what the run broke for the first time, and replays it. */
static enum ob_result add_findings(struct exploring *e, const struct ob_run_outcome *outcome,
                                   struct ob_error *err)
{
    struct ob_exploration *out = e->out;
    size_t first = out->finding_count;
    for (size_t i = 0; i < outcome->broken_count; i++) {
        const struct ob_broken *broken = &outcome->broken[i];
        if (is_known(out, broken->item))
            continue;
        out->findings = ob_grow(out->findings, &out->finding_capacity, out->finding_count + 1,
                                sizeof *out->findings);
        ob_finding_record(&out->findings[out->finding_count++], e->rig, &e->trace, broken->item,
                          broken->rows, ob_strategy_number(e->strategy) + 1);
    }
    if (first == out->finding_count || e->options->strategy == OB_STRATEGY_STRESS)
        return OB_OK;
    return ob_findings_confirm(&out->findings[first], out->finding_count - first, e->rig, &e->trace,
                               err);
}

static bool found_enough(const struct exploring *e)
{
    if (e->options->keep_going || e->out->finding_count == 0)
        return false;
    if (!e->options->until)
        return true;
    for (size_t i = 0; i < e->out->finding_count; i++)
        if (strcmp(ob_check_name(e->rig->check, e->out->findings[i].item), e->options->until) == 0)
            return true;
    return false;
}

/* Why the order could not be followed. */
static const char *explain_order(struct exploring *e)
{
    struct ob_buf why;
    ob_buf_init(&why, sizeof e->out->passed_over_why - 1);
    ob_buf_printf(&why, "in run %" PRIu64 " ", ob_strategy_number(e->strategy) + 1);
    ob_order_explain(ob_strategy_order(e->strategy), e->rig->client_names, &why);
    const char *kept = ob_arena_strdup(&e->trace.arena, why.data);
    ob_buf_clear(&why);
    return kept;
}

/* An order that could not be followed is counted and proves nothing. */
static enum ob_counts counts_as(const struct exploring *e)
{
    enum ob_run_end end = e->trace.end;
    if (ob_strategy_foreign(e->strategy))
        return OB_COUNTS_NOT;
    if (end == OB_RUN_DIVERGED && ob_strategy_cut(e->strategy))
        return OB_COUNTS_CUT;
    if (end == OB_RUN_DIVERGED && ob_strategy_order(e->strategy))
        return OB_COUNTS_PASSED;
    return end == OB_RUN_FINISHED || end == OB_RUN_STUCK ? OB_COUNTS_SEEN : OB_COUNTS_NOTHING;
}

static struct ob_note note_of(struct exploring *e, const struct ob_run_outcome *outcome,
                              uint64_t digest)
{
    struct ob_note note = {
        .next = e->next,
        .spent_us = spent_us(e),
        .counts = counts_as(e),
        .end = e->trace.end,
        .steps = e->trace.step_count,
        .uncontrolled = e->trace.uncontrolled > 0,
        .trace = digest,
        .why = "",
    };
    if (note.counts == OB_COUNTS_SEEN) {
        note.outcome = outcome->outcome;
        note.reached = outcome->reached;
    }
    if (note.counts == OB_COUNTS_PASSED && e->out->passed_over == 0)
        note.why = explain_order(e);
    if (note.counts == OB_COUNTS_NOTHING)
        note.why = e->trace.reason;
    return note;
}

/* Counts a run, made or read from a checkpoint. */
static void count(struct exploring *e, const struct ob_note *note)
{
    struct ob_exploration *out = e->out;
    if (note->counts == OB_COUNTS_NOT)
        return;
    out->runs++;
    out->last_run = ob_strategy_number(e->strategy) + 1;
    out->steps += note->steps;
    out->uncontrolled_runs += note->uncontrolled;
    if (note->counts == OB_COUNTS_PASSED && out->passed_over++ == 0)
        snprintf(out->passed_over_why, sizeof out->passed_over_why, "%s", note->why);
    if (note->counts == OB_COUNTS_NOTHING) {
        out->inconclusive = note->end;
        snprintf(out->reason, sizeof out->reason, "%s", note->why);
    }
    if (note->counts != OB_COUNTS_SEEN)
        return;
    for (size_t i = 0; i < OB_WANTED_MAX; i++)
        out->reached[i] += note->reached >> i & 1;
    ob_tally_add(&out->outcome_tally, note->outcome);
    ob_tally_add(&out->class_tally, note->trace);
    if (!ob_strategy_is_sample(e->strategy))
        return;
    out->samples++;
    ob_tally_add(&out->sampled_outcomes, note->outcome);
    ob_tally_add(&out->sampled_classes, note->trace);
}

static enum ob_result explore_one(struct exploring *e, struct ob_error *err)
{
    struct ob_exploration *out = e->out;
    bool kept = e->options->checkpoint != NULL;
    struct ob_follower pinned = {.schedule = e->options->pinned};
    struct ob_chooser chooser =
        kept ? ob_checkpoint_chooser(&e->checkpoint) : ob_strategy_chooser(e->strategy);
    if (pinned.schedule)
        chooser = ob_follower_chooser(&pinned);
    struct ob_run_outcome outcome;
    bool free_running = e->options->strategy == OB_STRATEGY_STRESS;
    enum ob_result result = ob_rig_run(e->rig, &chooser, free_running, &e->trace, &outcome, err);
    if (result != OB_OK)
        return result;
    size_t first = out->finding_count;
    uint64_t digest = ob_trace_digest(&e->trace);
    ob_strategy_learn_as(e->strategy, &e->trace, digest);
    struct ob_note note = note_of(e, &outcome, digest);
    count(e, &note);
    if (note.counts != OB_COUNTS_NOT)
        ob_statements_add(&out->statements, &e->trace);
    if (e->options->seen)
        e->options->seen(e->options->seen_arg, &e->trace);
    if (note.counts == OB_COUNTS_SEEN)
        result = add_findings(e, &outcome, err);
    if (result == OB_OK && kept)
        result = ob_checkpoint_add(&e->checkpoint, &note, &e->trace, out, first, err);
    return result;
}

/* What was done before a kill counts as if it had been done now. */
static enum ob_result restore(struct exploring *e, struct ob_error *err)
{
    for (;;) {
        struct ob_note note;
        bool end;
        enum ob_result result =
            ob_checkpoint_read(&e->checkpoint, e->next, e->out, &note, &end, err);
        if (result != OB_OK || end)
            return result;
        e->next = note.next;
        e->spent_before_us = note.spent_us;
        count(e, &note);
    }
}

static bool is_over(const struct exploring *e)
{
    return e->out->inconclusive != OB_RUN_FINISHED || found_enough(e);
}

/* Prepares the next run that is to be made.  False: there is none, or no time for it. */
static bool prepare(struct exploring *e)
{
    const struct ob_explore_options *options = e->options;
    while (e->out->runs < options->runs_max) {
        if (spent_us(e) >= options->budget_us)
            return false;
        if (!ob_strategy_next(e->strategy, e->next++) ||
            ob_strategy_number(e->strategy) >= options->runs_max)
            break;
        if (!ob_strategy_skips(e->strategy))
            return true;
    }
    e->out->complete = true;
    return false;
}

/* Whichever ends it first: the strategy, the runs or the time. */
static double share_of(const struct exploring *e)
{
    const struct ob_explore_options *options = e->options;
    double share = ob_strategy_share(e->strategy),
           runs = (double)e->out->runs / (double)options->runs_max,
           time = (double)spent_us(e) / (double)options->budget_us;
    share = runs > share ? runs : share;
    share = time > share ? time : share;
    return share < 1 ? share : 1;
}

/* False: nothing more is wanted. */
static bool report_progress(const struct exploring *e)
{
    if (!e->options->progress)
        return true;
    const struct ob_explored explored = {
        .runs = e->out->runs,
        .findings = e->out->finding_count,
        .share = share_of(e),
    };
    return e->options->progress(e->options->progress_arg, &explored);
}

static enum ob_result explore_all(struct exploring *e, struct ob_error *err)
{
    struct ob_exploration *out = e->out;
    enum ob_result result = OB_OK;
    while (result == OB_OK && !is_over(e) && prepare(e)) {
        result = explore_one(e, err);
        if (result == OB_INTERRUPTED) {
            out->stopped = true;
            return OB_OK;
        }
        if (result != OB_OK || is_over(e))
            break;
        if (!report_progress(e)) {
            out->stopped = true;
            break;
        }
    }
    return result;
}

static struct ob_strategy *open_strategy(const struct ob_rig *rig,
                                         const struct ob_explore_options *options)
{
    struct ob_strategy *strategy =
        ob_strategy_new(options->strategy, options->seed, rig->spec.client_count);
    if (options->argument)
        ob_strategy_set_argument(strategy, *options->argument);
    ob_strategy_set_steps_max(strategy, rig->steps_max);
    ob_strategy_set_shard(strategy, &options->shard);
    if (ob_check_has_instant(rig->check))
        ob_strategy_watch_commits(strategy);
    bool ordered = options->strategy == OB_STRATEGY_PERMUTATIONS ||
                   (options->orders_first && options->strategy != OB_STRATEGY_STRESS);
    if (ordered && rig->orders.get)
        ob_strategy_begin_with(strategy, &rig->orders);
    return strategy;
}

/* Runs that followed an order are no samples; what the server chose was not the strategy's.
 */
static void conclude(struct exploring *e)
{
    struct ob_exploration *out = e->out;
    bool controlled = out->uncontrolled_runs == 0;
    out->outcomes = out->outcome_tally.count;
    out->classes = out->class_tally.count;
    out->outcomes_once = out->sampled_outcomes.once;
    out->classes_once = out->sampled_classes.once;
    out->counts_are_bounds = out->outcome_tally.full || out->class_tally.full;
    out->sampled = out->samples > 0 && !out->counts_are_bounds;
    enum ob_strategy_kind sampler = ob_strategy_sampler(e->options->strategy);
    out->sampler = sampler < OB_STRATEGY_COUNT ? ob_strategy_word(sampler) : "";
    out->estimate = ob_strategy_estimate(e->strategy, out->runs);
    out->exhausted = ob_strategy_exhausted(e->strategy) && controlled;
    out->reduced = ob_strategy_reduces(e->strategy);
    out->within_bound = ob_strategy_within_bound(e->strategy) && controlled;
    out->bound = ob_strategy_bound(e->strategy);
    out->changed = ob_strategy_changed(e->strategy) && controlled;
    out->promised = ob_strategy_promise(e->strategy, out->runs, &out->promise) && controlled;
}

enum ob_result ob_explore(struct ob_rig *rig, const struct ob_explore_options *options,
                          struct ob_exploration *out, struct ob_error *err)
{
    *out = (struct ob_exploration){0};
    ob_statements_init(&out->statements);
    struct exploring e = {.rig = rig, .options = options, .out = out};
    e.strategy = open_strategy(rig, options);
    e.started_us = rig->monotonic_us(rig->self);
    ob_trace_init(&e.trace);
    enum ob_result result = OB_OK;
    if (options->checkpoint) {
        ob_checkpoint_init(&e.checkpoint, options->checkpoint, e.strategy);
        result = restore(&e, err);
    }
    if (result == OB_OK)
        result = explore_all(&e, err);
    conclude(&e);
    out->total_us = spent_us(&e);
    if (options->checkpoint)
        ob_checkpoint_clear(&e.checkpoint);
    ob_trace_clear(&e.trace);
    ob_strategy_free(e.strategy);
    return result;
}

void ob_exploration_clear(struct ob_exploration *exploration)
{
    for (size_t i = 0; i < exploration->finding_count; i++)
        ob_finding_clear(&exploration->findings[i]);
    free(exploration->findings);
    ob_statements_clear(&exploration->statements);
    ob_tally_clear(&exploration->outcome_tally);
    ob_tally_clear(&exploration->class_tally);
    ob_tally_clear(&exploration->sampled_outcomes);
    ob_tally_clear(&exploration->sampled_classes);
    *exploration = (struct ob_exploration){0};
}
