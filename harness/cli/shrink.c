/* shrink.c - overbook shrink: the smallest run that breaks what a recorded one breaks. */
#include "repro/shrink.h"

#include "base/alloc.h"
#include "cli/again.h"
#include "cli/cures.h"
#include "cli/progress.h"
#include "cli/violation.h"
#include "lanes.h"
#include "repro/explain.h"
#include "repro/left_out.h"
#include "repro/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* What was shrunk of a run, until its cures have been tried. */
struct done {
    size_t item;
    struct ob_shrunk shrunk;
    struct ob_cure_case cures;
    json_t *note; /* borrowed from the results */
};

struct shrinking {
    const struct ob_options *options;
    struct ob_progress progress;
    struct done *done; /* of the present run; owned */
    size_t done_count, done_capacity;
    json_t *results; /* one object for each that was shrunk; owned */
    bool inconclusive, silent;
    struct ob_arena arena;
};

static bool tick(void *arg, const struct ob_shrinking *now)
{
    const struct ob_explored explored = {.runs = now->runs, .findings = 1, .shrinking = true};
    return ob_progress_tick(arg, &explored);
}

static void put_size(struct ob_buf *out, const char *label, const struct ob_run_size *size)
{
    ob_buf_printf(out, "  %-5s%8zu%8zu%8zu%13zu\n", label, size->clients, size->faults, size->steps,
                  size->preemptions);
}

static void put_doubts(struct ob_buf *out, const struct ob_shrunk *shrunk)
{
    if (shrunk->stopped)
        ob_buf_puts(out, "  It may get smaller: the runs or the time were over before all was "
                         "tried.\n");
    else if (!shrunk->complete)
        ob_buf_puts(out, "  It may get smaller: there were too many schedules with less to try "
                         "them all.\n");
    if (!shrunk->innocent)
        ob_buf_puts(out,
                    "  The clients break it one after the other too, without a race; so nothing "
                    "of what they do was left out.\n");
}

static void print_shrunk(const struct shrinking *self, const struct ob_again_run *run,
                         const struct ob_shrunk *shrunk, const struct ob_explained *explained,
                         const char *replay)
{
    const struct ob_scenario *scenario = run->scenario;
    const struct ob_finding *finding = &shrunk->finding;
    const struct ob_again_marks marks = {explained->first, explained->second, OB_LANES_NONE};
    struct ob_buf out, text;
    ob_buf_init(&out, TEXT_MAX);
    ob_buf_init(&text, TEXT_MAX);
    ob_buf_printf(&out, "%s, %s: %s\n", scenario->name,
                  scenario->variants[run->token->variant].name,
                  scenario->invariants[finding->item].name);
    ob_buf_puts(&out, "        clients  faults   steps  preemptions\n");
    put_size(&out, "from", &shrunk->from);
    put_size(&out, "to", &shrunk->size);
    ob_buf_printf(&out, "  in %" PRIu64 " runs; replayed %u/%u\n", shrunk->runs,
                  finding->replays_same, finding->replays);
    put_doubts(&out, shrunk);
    if (self->options->verbosity >= 0)
        ob_again_put_run(self->options, ob_target_rig(run->target), &shrunk->trace, &marks, &out);
    ob_buf_printf(&text, "breaks %s: %s\n", scenario->invariants[finding->item].name,
                  finding->rows);
    if (explained->sentence)
        ob_buf_printf(&text, "%s: %s\n", *explained->anomaly ? explained->anomaly : "why",
                      explained->sentence);
    ob_report_plain(text.data, ob_cli_unicode(), 0, &out);
    ob_buf_printf(&out, "%s\n", replay);
    fputs(out.data, stdout);
    ob_buf_clear(&text);
    ob_buf_clear(&out);
}

static json_t *note(struct shrinking *self, const struct ob_again_run *run,
                    const struct ob_shrunk *shrunk, const struct ob_explained *explained,
                    const char *token)
{
    char replays[32];
    char *left_out = ob_left_out(ob_target_rig(run->target), &shrunk->finding.schedule);
    const struct ob_finding *finding = &shrunk->finding;
    const struct ob_run_size *size = &shrunk->size;
    snprintf(replays, sizeof replays, "%u/%u", finding->replays_same, finding->replays);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:b, s:s, s:s, s:s, s:s}",
        "token", run->record->token, "scenario", run->scenario->name, "variant",
        run->scenario->variants[run->token->variant].name, "invariant",
        run->scenario->invariants[finding->item].name, "shrunk_token", token, "clients",
        (json_int_t)size->clients, "faults", (json_int_t)size->faults, "steps",
        (json_int_t)size->steps, "preemptions", (json_int_t)size->preemptions, "runs",
        (json_int_t)shrunk->runs, "replays", replays, "complete", shrunk->complete, "race",
        shrunk->innocent, "left_out", left_out, "why", finding->rows, "anomaly",
        explained->sentence ? explained->anomaly : "", "explanation",
        explained->sentence ? explained->sentence : "");
    json_array_append_new(self->results, object);
    free(left_out);
    return object;
}

static json_t *tell(struct shrinking *self, const struct ob_again_run *run,
                    const struct ob_shrunk *shrunk, const struct ob_explained *explained)
{
    const struct ob_options *options = self->options;
    char *token = ob_violation_token(&shrunk->finding, run->scenario, run->token->variant,
                                     ob_server_version_number(run->server));
    const char *file = options->arg_count > 1 ? run->scenario->file : NULL;
    const char *replay = ob_violation_replay(&self->arena, token, file, options->invariants,
                                             options->invariant_count);
    if (!self->silent)
        print_shrunk(self, run, shrunk, explained, replay);
    json_t *object = note(self, run, shrunk, explained, token);
    free(token);
    self->inconclusive |= shrunk->finding.replays_same < shrunk->finding.replays;
    return object;
}

/* What comes out now so and now so is no ground to stand on. */
static void tell_flaky(struct shrinking *self, const char *invariant,
                       const struct ob_shrunk *shrunk)
{
    fflush(stdout);
    fprintf(stderr,
            "overbook: flaky: %s was broken in the same way in %u of %u runs of this schedule, so "
            "it was not shrunk\n",
            invariant, shrunk->same, shrunk->looks);
    self->inconclusive = true;
}

/* --- cures */

static bool cure_tick(void *arg, const struct ob_explored *explored)
{
    return ob_progress_tick(arg, explored);
}

static struct ob_variant_job job_of(struct shrinking *self, const struct ob_again_run *run)
{
    return (struct ob_variant_job){
        .options = self->options,
        .server = run->server,
        .scenario = run->scenario,
        .variant = run->token->variant,
        .progress = cure_tick,
        .progress_arg = &self->progress,
    };
}

static json_t *cures_json(const struct ob_cures_tried *tried)
{
    json_t *array = json_array();
    for (size_t i = 0; i < tried->count; i++) {
        const struct ob_report_cure *cure = &tried->cures[i];
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "name", cure->name, "what",
                             cure->what, "change", cure->change, "on_schedule", cure->on_schedule,
                             "in_exploration", cure->in_exploration, "verdict", cure->verdict,
                             "why", cure->why, "runs", (json_int_t)cure->runs));
    }
    return array;
}

static void print_cures(struct shrinking *self, const char *invariant,
                        const struct ob_cures_tried *tried)
{
    struct ob_buf text, out;
    ob_buf_init(&text, TEXT_MAX);
    ob_buf_init(&out, TEXT_MAX);
    ob_buf_printf(&text, "cures tried for %s:\n", invariant);
    for (size_t i = 0; i < tried->count; i++) {
        const struct ob_report_cure *cure = &tried->cures[i];
        ob_buf_printf(&text, "  %s\n", ob_report_cure_line(&self->arena, cure));
        if (strcmp(cure->verdict, ob_cure_verdict_word(OB_CURE_CURED)) != 0)
            continue;
        ob_buf_puts(&text, "    ");
        for (const char *c = cure->change; *c; c++) {
            ob_buf_putc(&text, *c);
            ob_buf_puts(&text, *c == '\n' ? "    " : "");
        }
        ob_buf_puts(&text, "\n");
    }
    ob_report_plain(text.data, ob_cli_unicode(), 0, &out);
    fputs(out.data, stdout);
    ob_buf_clear(&out);
    ob_buf_clear(&text);
}

static enum ob_result try_cures(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct shrinking *self = arg;
    const struct ob_variant_job job = job_of(self, run);
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < self->done_count && result == OB_OK; i++) {
        struct done *done = &self->done[i];
        const char *name = run->scenario->invariants[done->item].name;
        struct ob_cures_tried tried;
        if (!done->cures.scenario)
            continue;
        ob_progress_begin(&self->progress, run->scenario->name, name);
        result = ob_cures_try(&job, &done->cures, &self->arena, &tried, err);
        ob_progress_end(&self->progress);
        if (result != OB_OK)
            break;
        json_object_set_new(done->note, "cures", cures_json(&tried));
        if (!self->silent && tried.count > 0)
            print_cures(self, name, &tried);
    }
    return result;
}

static void forget_done(struct shrinking *self)
{
    for (size_t i = 0; i < self->done_count; i++) {
        ob_cure_case_close(&self->done[i].cures);
        ob_shrunk_clear(&self->done[i].shrunk);
    }
    self->done_count = 0;
}

/* --- shrinking */

/* Who interrupts is not kept waiting: explained has no sentence then. */
static enum ob_result explain(const struct ob_again_run *run, const struct ob_shrunk *shrunk,
                              size_t item, struct ob_explained *explained, struct ob_error *err)
{
    if (ob_cli_interrupted())
        return OB_OK;
    enum ob_result result =
        ob_explain(ob_target_rig(run->target), &shrunk->trace, item, explained, err);
    return result == OB_INTERRUPTED ? OB_OK : result;
}

static enum ob_result shrink_item(struct shrinking *self, const struct ob_again_run *run,
                                  size_t item, struct ob_error *err)
{
    const struct ob_options *options = self->options;
    const struct ob_shrink_options how = {
        .runs_max = options->runs > 0 ? options->runs : OB_SHRINK_RUNS,
        .budget_us = options->budget_us < INT64_MAX ? options->budget_us : OB_SHRINK_US,
        .progress = tick,
        .progress_arg = &self->progress,
    };
    const char *name = run->scenario->invariants[item].name;
    struct done *done = &self->done[self->done_count];
    struct ob_shrunk *shrunk = &done->shrunk;
    *done = (struct done){.item = item};
    ob_progress_begin(&self->progress, run->scenario->name, name);
    enum ob_result result =
        ob_shrink(ob_target_rig(run->target), &run->token->schedule, item, &how, shrunk, err);
    if (result != OB_OK) {
        ob_progress_end(&self->progress);
        return result;
    }
    self->done_count++;
    struct ob_explained explained = {0};
    bool flaky = shrunk->same < shrunk->looks;
    if (!flaky)
        result = explain(run, shrunk, item, &explained, err);
    ob_progress_end(&self->progress);
    if (flaky)
        tell_flaky(self, name, shrunk);
    else if (result == OB_OK)
        done->note = tell(self, run, shrunk, &explained);
    const struct ob_variant_job job = job_of(self, run);
    const struct ob_cures_wanted wanted = {&shrunk->trace, item, &explained};
    if (result == OB_OK && done->note && explained.sentence && !self->options->no_cures)
        result = ob_cures_find(&job, run->target, &wanted, &done->cures, err);
    ob_explained_clear(&explained);
    return result;
}

/* Whether it is one of those that the result names; a token names none, and means all. */
static bool is_wanted(const struct ob_again_run *run, size_t item)
{
    for (size_t i = 0; i < run->text->broken_count; i++)
        if (strcmp(run->text->broken[i], run->scenario->invariants[item].name) == 0)
            return true;
    return run->text->broken_count == 0;
}

/* What the run breaks now: bit i, item i. */
static enum ob_result look(const struct ob_again_run *run, bool *broken, struct ob_error *err)
{
    struct ob_replay replay;
    enum ob_result result =
        ob_replay_run(ob_target_rig(run->target), run->token, false, &replay, err);
    if (result != OB_OK)
        return result;
    for (size_t i = 0; i < replay.outcome.broken_count; i++)
        broken[replay.outcome.broken[i].item] = true;
    ob_replay_clear(&replay);
    return OB_OK;
}

static enum ob_result shrink(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct shrinking *self = arg;
    size_t count = run->scenario->invariant_count, shrunk = 0;
    bool *broken = ob_alloc(count * sizeof *broken);
    forget_done(self);
    self->done = ob_grow(self->done, &self->done_capacity, count, sizeof *self->done);
    enum ob_result result = look(run, broken, err);
    for (size_t i = 0; i < count && result == OB_OK; i++) {
        if (!broken[i] || !is_wanted(run, i) || (shrunk > 0 && ob_cli_interrupted()))
            continue;
        shrunk++;
        result = shrink_item(self, run, i, err);
    }
    free(broken);
    if (result == OB_OK && shrunk == 0 && !ob_cli_interrupted()) {
        fflush(stdout);
        fprintf(stderr,
                "overbook: this run of %s breaks nothing here, so there is nothing to "
                "shrink\n",
                run->scenario->name);
        self->inconclusive = true;
    }
    return result;
}

int ob_command_shrink(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_SHRINK, argc, argv, &options);
    struct ob_error err;
    struct ob_again again;
    struct shrinking self = {.options = &options, .results = json_array()};
    self.silent = options.json && strcmp(options.json, "-") == 0;
    ob_arena_init(&self.arena);
    ob_progress_init(&self.progress, options.progress, options.verbosity);
    enum ob_result result = ob_again_open(&again, &options, false, &err);
    again.after = try_cures;
    if (result == OB_OK)
        result = ob_again_each(&again, shrink, &self, &err);
    if (result == OB_INTERRUPTED)
        result = OB_OK; /* which ob_again_close() says, after what was done until then */
    if (result == OB_OK && options.json)
        result = ob_again_write(options.json, "shrunk", self.results, &err);
    int status = ob_again_close(&again, result, self.inconclusive, &err);
    json_decref(self.results);
    forget_done(&self);
    free(self.done);
    ob_arena_clear(&self.arena);
    return status;
}
