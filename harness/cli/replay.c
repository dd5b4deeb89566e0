/* replay.c - overbook replay: run recorded schedules again and compare. */
#include "repro/replay.h"

#include "base/alloc.h"
#include "cli/again.h"
#include "lanes.h"
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

static void print_replay(const struct replaying *self, const struct ob_scenario *scenario,
                         size_t variant, const struct ob_rig *rig, const struct ob_replay *replay)
{
    const struct ob_again_marks marks = {OB_LANES_NONE, OB_LANES_NONE,
                                         replay->diverged ? replay->step : OB_LANES_NONE};
    struct ob_buf out, text;
    bool unicode = ob_cli_unicode();
    ob_buf_init(&out, TEXT_MAX);
    ob_buf_init(&text, TEXT_MAX);
    ob_buf_printf(&out, "%s, %s\n", scenario->name, scenario->variants[variant].name);
    if (self->options->verbosity >= 0)
        ob_again_put_run(self->options, rig, &replay->trace, &marks, &out);
    for (size_t i = 0; i < replay->outcome.broken_count; i++) {
        const struct ob_broken *broken = &replay->outcome.broken[i];
        ob_buf_printf(&text, "breaks %s: %s\n", scenario->invariants[broken->item].name,
                      broken->rows);
    }
    if (replay->outcome.broken_count == 0)
        ob_buf_puts(&text, "breaks nothing\n");
    if (replay->diverged)
        ob_buf_printf(&text, "diverged: %s\n", replay->why);
    else
        ob_buf_puts(&text, "the same as recorded, step by step\n");
    if (replay->trace.uncontrolled > 0)
        ob_buf_printf(&text,
                      "not controlled: in %" PRIu32 " of its steps the server chose which "
                      "of several waiters went on, or when a wait timed out\n",
                      replay->trace.uncontrolled);
    ob_report_plain(text.data, unicode, 0, &out);
    fputs(out.data, stdout);
    ob_buf_clear(&text);
    ob_buf_clear(&out);
}

static void note_replay(struct replaying *self, const char *token,
                        const struct ob_scenario *scenario, size_t variant,
                        const struct ob_replay *replay)
{
    json_t *broken = json_array();
    for (size_t i = 0; i < replay->outcome.broken_count; i++)
        json_array_append_new(broken,
                              json_pack("{s:s, s:s}", "invariant",
                                        scenario->invariants[replay->outcome.broken[i].item].name,
                                        "why", replay->outcome.broken[i].rows));
    json_t *item = json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:b, s:o}", "token", token, "scenario",
                             scenario->name, "variant", scenario->variants[variant].name, "same",
                             !replay->diverged, "why", replay->why, "steps",
                             (json_int_t)replay->trace.step_count, "uncontrolled",
                             replay->trace.uncontrolled > 0, "violations", broken);
    json_array_append_new(self->results, item);
    self->diverged |= replay->diverged;
}

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

static enum ob_result replay(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct replaying *self = arg;
    struct ob_rig *rig = ob_target_rig(run->target);
    struct ob_replay replay;
    enum ob_result result = ob_replay_run(rig, run->token, &replay, err);
    if (result != OB_OK)
        return result;
    expect_broken(run->text, run->scenario, &replay);
    if (!self->silent)
        print_replay(self, run->scenario, run->token->variant, rig, &replay);
    note_replay(self, run->text->token, run->scenario, run->token->variant, &replay);
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
    enum ob_result result = ob_again_open(&again, &options, &err);
    if (result == OB_OK)
        result = ob_again_each(&again, replay, &self, &err);
    if (result == OB_OK && options.json)
        result = ob_again_write(options.json, "replays", self.results, &err);
    int status = ob_again_close(&again, result, self.diverged, &err);
    json_decref(self.results);
    return status;
}
