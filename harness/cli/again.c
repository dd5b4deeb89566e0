#include "cli/again.h"

#include "base/alloc.h"
#include "base/version.h"
#include "cli/builtin.h"
#include "cli/timeline.h"
#include "repro/left_out.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ob_scenario *find_scenario(const struct ob_scenario_list *list,
                                               const struct ob_token *token)
{
    for (size_t i = 0; i < list->count; i++)
        if (memcmp(list->items[i]->hash, token->scenario, OB_TOKEN_SCENARIO) == 0)
            return list->items[i];
    return NULL;
}

static enum ob_result unknown_scenario(const struct ob_options *options, struct ob_error *err)
{
    ob_error_set(err, OB_INPUT, "the token is of a scenario that is not among those loaded");
    if (options->go_on) {
        ob_error_detail(err, "Nor does one of them stand for it: a result names its scenario, a "
                             "token alone does not.");
        ob_error_hint(err, "Name the changed file, and no other, after the token.");
        return OB_INPUT;
    }
    ob_error_detail(err,
                    "A token belongs to a scenario file as it was, to the byte; a changed file "
                    "has other schedules.");
    ob_error_hint(err,
                  "Name the scenario's file or folder after the token; if the file has changed "
                  "since (\"git log\" knows), name it as it was. \"overbook replay --continue\" "
                  "follows it in the changed one, as far as that goes.");
    return OB_INPUT;
}

/* The changed scenario that is taken for the recorded one: that of its name, or of a token alone
 * the only one. */
static const struct ob_scenario *find_changed(const struct ob_again *self,
                                              const struct ob_token_text *text)
{
    const struct ob_scenario_list *list = &self->list;
    if (!text->scenario)
        return list->count == 1 ? list->items[0] : NULL;
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, text->scenario) == 0)
            return list->items[i];
    return NULL;
}

/* Decodes the run that is to be made again and finds its scenario: of a changed one the whole run,
 * since what a smallest one leaves out is told by numbers that the change may have moved. */
static enum ob_result find_run(const struct ob_again *self, struct ob_again_run *run,
                               struct ob_token *token, struct ob_error *err)
{
    const struct ob_token_text *text = run->text;
    run->record = &text->run;
    enum ob_result result = ob_token_decode(text->run.token, token, err);
    if (result != OB_OK)
        return result;
    run->scenario = find_scenario(&self->list, token);
    if (!run->scenario && self->options->go_on) {
        run->changed = true;
        run->scenario = find_changed(self, text);
        run->record = &text->whole;
        ob_token_clear(token);
        result = ob_token_decode(text->whole.token, token, err);
        if (result != OB_OK)
            return result;
    }
    if (run->scenario && run->changed && text->variant) {
        size_t variant = ob_scenario_variant(run->scenario, text->variant);
        token->variant = variant <= UINT8_MAX ? (uint8_t)variant : UINT8_MAX;
    }
    if (!run->scenario || token->variant >= run->scenario->variant_count)
        return unknown_scenario(self->options, err);
    return OB_OK;
}

/* A schedule names clients by their number, so they must be those that were recorded. */
static enum ob_result check_clients(const struct ob_again_run *run, struct ob_error *err)
{
    const struct ob_rig *rig = ob_target_rig(run->target);
    const struct ob_report_timeline *recorded = run->record->timeline;
    if (!run->changed || !recorded)
        return OB_OK;
    bool same = recorded->client_count == rig->spec.client_count;
    for (size_t i = 0; i < recorded->client_count && same; i++)
        same = strcmp(recorded->clients[i], rig->client_names[i]) == 0;
    if (same)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "%s has other clients than the recorded run", run->scenario->file);
    ob_error_detail(err, "A schedule names clients by their place, so that it would mean others.");
    ob_error_hint(err, "Keep their names and order, or explore the changed scenario anew.");
    return OB_INPUT;
}

static void note_changed(const struct ob_again_run *run)
{
    if (!run->changed)
        return;
    fflush(stdout);
    fprintf(stderr,
            "overbook: %s is not as it was recorded; the schedule is followed as far as it goes\n",
            run->scenario->file);
    if (run->token->schedule.omission_count > 0)
        fprintf(stderr, "overbook: the run leaves out parts of what its clients do, by their "
                        "numbers; in the changed file these may be others\n");
}

static void note_version(const struct ob_again *self, const struct ob_token *token)
{
    if (token->server_version == ob_server_version_number(self->server))
        return;
    char recorded[OB_TOKEN_SERVER_SIZE];
    ob_token_server(token, recorded);
    fflush(stdout);
    fprintf(stderr, "overbook: recorded on PostgreSQL %s, this is %s; steps may differ\n", recorded,
            ob_server_version(self->server));
}

static enum ob_result open_server(struct ob_again *self, const struct ob_token *token,
                                  struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (!self->server)
        result = ob_server_open(self->options, &self->server, err);
    if (result == OB_OK)
        note_version(self, token);
    return result;
}

/* A spec's result may tell of an invariant that was given with it. */
static enum ob_result check_broken(const struct ob_token_text *text,
                                   const struct ob_scenario *scenario, struct ob_error *err)
{
    for (size_t i = 0; i < text->broken_count; i++) {
        bool known = false;
        for (size_t k = 0; k < scenario->invariant_count; k++)
            known |= strcmp(scenario->invariants[k].name, text->broken[i]) == 0;
        if (known)
            continue;
        ob_error_set(err, OB_INPUT, "the result has %s as broken, which %s has not",
                     text->broken[i], scenario->file);
        ob_error_hint(err, "Give it as it was given to overbook run: --invariant '%s: …'.",
                      text->broken[i]);
        return OB_INPUT;
    }
    return OB_OK;
}

/* Who walks through a run takes their time. */
static struct ob_limits limits_of(const struct ob_options *options)
{
    struct ob_limits limits = ob_limits_default();
    if (options->step)
        limits.run_us_max = INT64_MAX / 4;
    return limits;
}

static enum ob_result make_on(struct ob_again *self, const char *conninfo, struct ob_again_run *run,
                              ob_again_body *body, void *arg, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = limits_of(self->options),
        .fixed_plans = true,
        .own_server = ob_server_embedded(self->server),
        .script = self->script,
    };
    enum ob_result result =
        ob_target_open(run->scenario, run->token->variant, &options, &run->target, err);
    if (result != OB_OK)
        return result;
    run->server = self->server;
    note_changed(run);
    result = check_clients(run, err);
    if (result == OB_OK)
        result = body(arg, run, err);
    self->stuck = result == OB_STUCK;
    if (!self->stuck)
        ob_target_close(run->target);
    run->target = NULL;
    return result;
}

static enum ob_result make_again(struct ob_again *self, const struct ob_token_text *text,
                                 ob_again_body *body, void *arg, struct ob_error *err)
{
    struct ob_token token = {0};
    struct ob_again_run run = {.text = text, .token = &token};
    char *conninfo = NULL;
    enum ob_result result = find_run(self, &run, &token, err);
    if (result == OB_OK)
        result = check_broken(text, run.scenario, err);
    if (result == OB_OK)
        result = open_server(self, &token, err);
    bool going = result == OB_OK && !ob_cli_interrupted();
    if (going)
        result = ob_server_create_database(self->server, NULL, &conninfo, err);
    if (going && result == OB_OK) {
        result = make_on(self, conninfo, &run, body, arg, err);
        result = ob_server_drop_database(self->server, result, err);
        if (result == OB_OK && self->after)
            result = self->after(arg, &run, err);
        self->stuck |= result == OB_STUCK;
    }
    free(conninfo);
    ob_token_clear(&token);
    return result;
}

enum ob_result ob_again_each(struct ob_again *self, ob_again_body *body, void *arg,
                             struct ob_error *err)
{
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < self->tokens.count && result == OB_OK && !ob_cli_interrupted(); i++)
        result = make_again(self, &self->tokens.items[i], body, arg, err);
    return result;
}

/* The paths that were named, else the files that the result names if all of them are there, else
 * the built-in ones. */
static enum ob_result load(struct ob_again *self, struct ob_error *err)
{
    const struct ob_options *options = self->options;
    struct ob_scenario_list *list = &self->list;
    const struct ob_tokens *tokens = &self->tokens;
    if (options->arg_count > 1)
        return ob_builtin_load(options, options->args + 1, options->arg_count - 1, list, err);
    for (size_t i = 0; i < tokens->file_count; i++)
        if (access(tokens->files[i], F_OK) != 0)
            return ob_builtin_load(options, NULL, 0, list, err);
    return ob_builtin_load(options, tokens->files, tokens->file_count, list, err);
}

struct ob_lanes_options ob_again_drawing(const struct ob_options *options)
{
    bool known = isatty(STDOUT_FILENO) || getenv("COLUMNS");
    return (struct ob_lanes_options){
        .color = ob_cli_color(options->color, STDOUT_FILENO),
        .unicode = ob_cli_unicode(),
        .width = known ? ob_cli_width(STDOUT_FILENO) : INT_MAX,
        .first = OB_LANES_NONE,
        .second = OB_LANES_NONE,
        .other = OB_LANES_NONE,
    };
}

static void put_left_out(const struct ob_rig *rig, const struct ob_trace *trace, struct ob_buf *out)
{
    char *left_out = ob_left_out(rig, &trace->schedule);
    char *line = ob_asprintf("without: %s\n", left_out);
    if (*left_out)
        ob_report_plain(line, ob_cli_unicode(), 0, out);
    free(line);
    free(left_out);
}

void ob_again_put_run(const struct ob_options *options, const struct ob_rig *rig,
                      const struct ob_trace *trace, const struct ob_again_marks *marks,
                      struct ob_buf *out)
{
    struct ob_lanes_options how = ob_again_drawing(options);
    struct ob_arena arena;
    how.first = marks->first;
    how.second = marks->second;
    how.other = marks->other;
    ob_arena_init(&arena);
    if (options->verbosity > 0)
        ob_trace_print(trace, rig->client_names, true, out);
    else
        ob_lanes_draw(ob_timeline_of(&arena, trace, rig->client_names, rig->spec.client_count),
                      &how, out);
    ob_arena_clear(&arena);
    put_left_out(rig, trace, out);
}

enum ob_result ob_again_write(const char *path, const char *key, json_t *results,
                              struct ob_error *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    json_t *root = json_pack("{s:s, s:O}", "overbook", OB_VERSION, key, results);
    int failed = is_stdout ? json_dumpf(root, stdout, JSON_INDENT(2))
                           : json_dump_file(root, path, JSON_INDENT(2));
    if (is_stdout)
        failed |= putchar('\n') == EOF;
    json_decref(root);
    if (!failed)
        return OB_OK;
    ob_error_set(err, OB_IO, "could not write \"%s\"", path);
    ob_error_hint(err, "Is there room, and may you write there?");
    return OB_IO;
}

static enum ob_result check_options(const struct ob_options *options, struct ob_error *err)
{
    if (options->step && options->json)
        return ob_error_set(err, OB_USAGE, "--step talks to a person, and writes no JSON");
    if (options->arg_count > 0)
        return options->json ? ob_report_can_write(options->json, err) : OB_OK;
    ob_error_set(err, OB_USAGE, "no run was named");
    ob_error_hint(err, "Name a token, or a result that \"overbook run --json\" wrote.");
    return OB_USAGE;
}

enum ob_result ob_again_open(struct ob_again *self, const struct ob_options *options, bool smallest,
                             struct ob_error *err)
{
    *self = (struct ob_again){.options = options, .smallest = smallest};
    enum ob_result result = check_options(options, err);
    if (result == OB_OK)
        result = ob_tokens_read(options->args[0], self->smallest, &self->tokens, err);
    return result == OB_OK ? load(self, err) : result;
}

int ob_again_close(struct ob_again *self, enum ob_result result, bool inconclusive,
                   const struct ob_error *err)
{
    int status = inconclusive || ob_cli_interrupted() ? OB_EXIT_INCONCLUSIVE : OB_EXIT_EXPECTED;
    if (result != OB_OK)
        status = ob_cli_error(err);
    else if (ob_cli_interrupted())
        ob_cli_say_interrupted();
    ob_server_close(self->server);
    status = ob_cli_finish(status);
    if (self->stuck)
        _exit(OB_EXIT_INCONCLUSIVE); /* an abandoned thread still uses what would be freed */
    ob_tokens_clear(&self->tokens);
    ob_scenario_list_clear(&self->list);
    return status;
}
