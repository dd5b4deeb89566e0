/* replay.c - overbook replay: run recorded schedules again and compare. */
#include "repro/replay.h"

#include "base/alloc.h"
#include "cli/again.h"
#include "cli/step.h"
#include "cli/timeline.h"
#include "divergence.h"
#include "repro/left_out.h"
#include "report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

struct replaying {
    const struct ob_options *options;
    json_t *results; /* one object for each token; owned */
    bool diverged;
    bool silent; /* standard output is for JSON */
};

/* --- where it diverged */

/* What stands in the place of the step at which the record could not be followed. */
static const char *instead_of(struct ob_arena *arena, const struct ob_again_run *run,
                              const struct ob_replay *replay)
{
    const struct ob_trace *trace = &replay->trace;
    const struct ob_schedule *schedule = &run->token->schedule;
    if (trace->end != OB_RUN_DIVERGED || replay->step >= schedule->step_count)
        return "";
    size_t client = schedule->clients[replay->step];
    const struct ob_step *last =
        trace->step_count > 0 ? &trace->steps[trace->step_count - 1] : NULL;
    return ob_arena_printf(
        arena, "nothing: %s %s", ob_target_rig(run->target)->client_names[client],
        last && last->blocked >> client & 1 ? "waits for a lock" : "has no step to make");
}

static struct ob_divergence divergence_of(struct ob_arena *arena, const struct ob_again_run *run,
                                          const struct ob_replay *replay)
{
    const struct ob_rig *rig = ob_target_rig(run->target);
    const struct ob_schedule *schedule = &run->token->schedule;
    bool known = replay->step < schedule->step_count;
    return (struct ob_divergence){
        .recorded = run->record->timeline,
        .now = ob_timeline_of(arena, &replay->trace, rig->client_names, rig->spec.client_count),
        .step = replay->step,
        .client = known ? rig->client_names[schedule->clients[replay->step]] : NULL,
        .instead = instead_of(arena, run, replay),
    };
}

/* Whether it is a step that differs, and not what came after the last one. */
static bool is_of_step(const struct ob_again_run *run, const struct ob_replay *replay)
{
    return replay->step < run->token->schedule.step_count ||
           replay->step < replay->trace.step_count;
}

static void put_remarks(const struct ob_replay *replay, const struct ob_divergence *divergence,
                        const char *differs, struct ob_buf *out)
{
    const struct ob_report_timeline *recorded = divergence->recorded;
    if (!recorded)
        ob_buf_puts(out,
                    "A token keeps of each step whose it is and a check of 16 bits, not what "
                    "it was. Both\nsides are shown when the result is replayed that \"overbook "
                    "run --json\" wrote.\n");
    else if (!*differs && replay->step < recorded->step_count &&
             replay->step < replay->trace.step_count)
        ob_buf_puts(out, "None of this differs, so it is what the step's check alone covers: who "
                         "else could have\nmoved, or who was first of those who could go on.\n");
    if (replay->trace.end == OB_RUN_DIVERGED)
        ob_buf_puts(out, "--continue goes on from here, as far as the record can be followed.\n");
}

static void put_divergence(const struct replaying *self, const struct ob_again_run *run,
                           const struct ob_replay *replay, struct ob_buf *out)
{
    const struct ob_lanes_options how = ob_again_drawing(self->options);
    struct ob_arena arena;
    ob_arena_init(&arena);
    const struct ob_divergence divergence = divergence_of(&arena, run, replay);
    const char *differs = ob_divergence_differs(&arena, &divergence);
    char *line = ob_asprintf("diverged: %s%s%s", replay->why, *differs ? ": " : "", differs);
    ob_report_plain(line, how.unicode, 0, out);
    free(line);
    if (is_of_step(run, replay)) {
        ob_divergence_draw(&divergence, &how, out);
        put_remarks(replay, &divergence, differs, out);
    }
    ob_arena_clear(&arena);
}

/* --- what is told of a replay */

static void put_verdict(const struct ob_again_run *run, const struct ob_replay *replay,
                        struct ob_buf *out)
{
    struct ob_buf text;
    ob_buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < replay->outcome.broken_count; i++) {
        const struct ob_broken *broken = &replay->outcome.broken[i];
        ob_buf_printf(&text, "breaks %s: %s\n", run->scenario->invariants[broken->item].name,
                      broken->rows);
    }
    enum ob_run_end end = replay->trace.end;
    if (replay->outcome.broken_count == 0)
        ob_buf_puts(&text, end == OB_RUN_FINISHED || end == OB_RUN_STUCK
                               ? "breaks nothing\n"
                               : "not checked: the run did not come to its end\n");
    ob_report_plain(text.data, ob_cli_unicode(), 0, out);
    ob_buf_clear(&text);
}

static struct ob_again_marks marks_of(const struct ob_again_run *run,
                                      const struct ob_replay *replay)
{
    const struct ob_report_explanation *explained = run->record->explanation;
    struct ob_again_marks marks = {OB_LANES_NONE, OB_LANES_NONE, OB_LANES_NONE};
    if (replay->diverged)
        marks.other = replay->step;
    else if (explained)
        marks = (struct ob_again_marks){explained->first, explained->second, OB_LANES_NONE};
    return marks;
}

static void print_replay(const struct replaying *self, const struct ob_again_run *run,
                         const struct ob_replay *replay)
{
    const struct ob_again_marks marks = marks_of(run, replay);
    struct ob_buf out;
    ob_buf_init(&out, TEXT_MAX);
    ob_buf_printf(&out, "%s, %s\n", run->scenario->name,
                  run->scenario->variants[run->token->variant].name);
    if (self->options->verbosity >= 0)
        ob_again_put_run(self->options, ob_target_rig(run->target), &replay->trace, &marks, &out);
    put_verdict(run, replay, &out);
    if (replay->diverged)
        put_divergence(self, run, replay, &out);
    else
        ob_buf_puts(&out, "the same as recorded, step by step\n");
    if (replay->trace.uncontrolled > 0)
        ob_buf_printf(&out,
                      "not controlled: in %" PRIu32 " of its steps the server chose which "
                      "of several waiters went on, or when a wait timed out\n",
                      replay->trace.uncontrolled);
    fputs(out.data, stdout);
    ob_buf_clear(&out);
}

static json_t *broken_json(const struct ob_again_run *run, const struct ob_replay *replay)
{
    json_t *broken = json_array();
    for (size_t i = 0; i < replay->outcome.broken_count; i++) {
        const struct ob_broken *each = &replay->outcome.broken[i];
        json_array_append_new(broken, json_pack("{s:s, s:s}", "invariant",
                                                run->scenario->invariants[each->item].name, "why",
                                                each->rows));
    }
    return broken;
}

static void note_replay(struct replaying *self, const struct ob_again_run *run,
                        const struct ob_replay *replay)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    const struct ob_divergence divergence = divergence_of(&arena, run, replay);
    bool shown = replay->diverged && is_of_step(run, replay);
    char *left_out = ob_left_out(ob_target_rig(run->target), &replay->trace.schedule);
    json_t *item = json_pack(
        "{s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:I, s:b, s:s, s:o, s:o, s:o}", "token",
        run->record->token, "scenario", run->scenario->name, "variant",
        run->scenario->variants[run->token->variant].name, "same", !replay->diverged, "why",
        replay->why, "changed", run->changed, "continued", replay->went_on, "steps",
        (json_int_t)replay->trace.step_count, "uncontrolled", replay->trace.uncontrolled > 0,
        "left_out", left_out, "violations", broken_json(run, replay), "divergence",
        shown ? ob_divergence_json(&divergence) : json_null(), "timeline",
        ob_divergence_run_json(divergence.now));
    json_array_append_new(self->results, item);
    free(left_out);
    self->diverged |= replay->diverged;
    ob_arena_clear(&arena);
}

/* --- the command */

/* What the result's file says to be broken, and is not: then the run is not the same, though each
 * of its steps is. */
static void expect_broken(const struct ob_token_text *text, const struct ob_scenario *scenario,
                          struct ob_replay *replay)
{
    for (size_t i = 0; i < text->broken_count && !replay->diverged; i++) {
        bool broken = false;
        for (size_t k = 0; k < replay->outcome.broken_count; k++)
            broken |= strcmp(scenario->invariants[replay->outcome.broken[k].item].name,
                             text->broken[i]) == 0;
        if (broken)
            continue;
        replay->diverged = true;
        replay->step = replay->trace.step_count;
        free(replay->why);
        replay->why = ob_asprintf("each step was the same, but the result has %s as broken, and "
                                  "it is not",
                                  text->broken[i]);
    }
}

static enum ob_result walk(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct replaying *self = arg;
    struct ob_replay replay;
    enum ob_result result = ob_step_walk(self->options, run, &replay, err);
    if (result != OB_OK)
        return result;
    self->diverged |= replay.diverged;
    ob_replay_clear(&replay);
    return OB_OK;
}

static enum ob_result replay(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct replaying *self = arg;
    struct ob_rig *rig = ob_target_rig(run->target);
    struct ob_replay replay;
    enum ob_result result = ob_replay_run(rig, run->token, self->options->go_on, &replay, err);
    if (result != OB_OK)
        return result;
    expect_broken(run->text, run->scenario, &replay);
    if (!self->silent)
        print_replay(self, run, &replay);
    note_replay(self, run, &replay);
    ob_replay_clear(&replay);
    return OB_OK;
}

int ob_command_replay(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_REPLAY, argc, argv, &options);
    struct ob_error err;
    struct ob_again again;
    struct replaying self = {.options = &options, .results = json_array()};
    self.silent = options.json && strcmp(options.json, "-") == 0;
    enum ob_result result = ob_again_open(&again, &options, true, &err);
    if (result == OB_OK)
        result = ob_again_each(&again, options.step ? walk : replay, &self, &err);
    if (result == OB_OK && options.json)
        result = ob_again_write(options.json, "replays", self.results, &err);
    int status = ob_again_close(&again, result, self.diverged, &err);
    json_decref(self.results);
    return status;
}
