/* replay.c - overbook replay: run recorded schedules again and compare. */
#include "repro/replay.h"

#include "base/alloc.h"
#include "base/version.h"
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "cli/tokens.h"
#include "report.h"
#include "target/target.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)64 << 20)

struct replaying {
    const struct ob_options *options;
    const struct ob_scenario_list *list;
    struct ob_tokens tokens;
    struct ob_server *server;
    json_t *results; /* one object for each token; owned */
    bool diverged, stuck;
    bool silent; /* standard output is for JSON */
};

static const struct ob_scenario *find_scenario(const struct ob_scenario_list *list,
                                               const struct ob_token *token)
{
    for (size_t i = 0; i < list->count; i++)
        if (memcmp(list->items[i]->hash, token->scenario, OB_TOKEN_SCENARIO) == 0)
            return list->items[i];
    return NULL;
}

static enum ob_result unknown_scenario(struct ob_error *err)
{
    ob_error_set(err, OB_INPUT, "the token is of a scenario that is not among those loaded");
    ob_error_detail(err,
                    "A token belongs to a scenario file as it was, to the byte; a changed file "
                    "has other schedules.");
    ob_error_hint(err,
                  "Name the scenario's file or folder after the token; if the file has changed "
                  "since (\"git log\" knows), name it as it was.");
    return OB_INPUT;
}

/* Shortened to the terminal, whole where there is none. */
static void put_trace(const struct replaying *self, const struct ob_trace *trace,
                      const char *const *names, struct ob_buf *out)
{
    bool exact = self->options->verbosity > 0;
    const struct ob_table_options how = {
        .color = ob_cli_color(self->options->color, STDOUT_FILENO),
        .unicode = ob_cli_unicode(),
        .width = !exact && isatty(STDOUT_FILENO) ? ob_cli_width(STDOUT_FILENO) : INT_MAX,
    };
    struct ob_buf text;
    ob_buf_init(&text, TEXT_MAX);
    ob_trace_print(trace, names, exact, &text);
    ob_report_trace(text.data, &how, 0, out);
    ob_buf_clear(&text);
}

static void print_replay(const struct replaying *self, const struct ob_scenario *scenario,
                         size_t variant, const char *const *names, const struct ob_replay *replay)
{
    struct ob_buf out, text;
    bool unicode = ob_cli_unicode();
    ob_buf_init(&out, TEXT_MAX);
    ob_buf_init(&text, TEXT_MAX);
    ob_buf_printf(&out, "%s, %s\n", scenario->name, scenario->variants[variant].name);
    if (self->options->verbosity >= 0)
        put_trace(self, &replay->trace, names, &out);
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

static enum ob_result replay_on(struct replaying *self, const struct ob_token_text *text,
                                const struct ob_token *token, const struct ob_scenario *scenario,
                                const char *conninfo, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fixed_plans = true,
        .own_server = ob_server_embedded(self->server),
    };
    struct ob_target *target = NULL;
    enum ob_result result = ob_target_open(scenario, token->variant, &options, &target, err);
    if (result != OB_OK)
        return result;
    struct ob_replay replay;
    struct ob_rig *rig = ob_target_rig(target);
    result = ob_replay_run(rig, token, &replay, err);
    if (result == OB_OK) {
        expect_broken(text, scenario, &replay);
        if (!self->silent)
            print_replay(self, scenario, token->variant, rig->client_names, &replay);
        note_replay(self, text->token, scenario, token->variant, &replay);
        ob_replay_clear(&replay);
    }
    self->stuck = result == OB_STUCK;
    if (!self->stuck)
        ob_target_close(target);
    return result;
}

static void note_version(const struct replaying *self, const struct ob_token *token)
{
    if (token->server_version == ob_server_version_number(self->server))
        return;
    char recorded[OB_TOKEN_SERVER_SIZE];
    ob_token_server(token, recorded);
    fflush(stdout);
    fprintf(stderr, "overbook: recorded on PostgreSQL %s, this is %s; steps may differ\n", recorded,
            ob_server_version(self->server));
}

static enum ob_result open_server(struct replaying *self, const struct ob_token *token,
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

static enum ob_result replay_token(struct replaying *self, const struct ob_token_text *text,
                                   struct ob_error *err)
{
    struct ob_token token = {0};
    enum ob_result result = ob_token_decode(text->token, &token, err);
    if (result != OB_OK)
        return result;
    const struct ob_scenario *scenario = find_scenario(self->list, &token);
    char *conninfo = NULL;
    if (!scenario || token.variant >= scenario->variant_count)
        result = unknown_scenario(err);
    if (result == OB_OK)
        result = check_broken(text, scenario, err);
    if (result == OB_OK)
        result = open_server(self, &token, err);
    bool going = result == OB_OK && !ob_cli_interrupted();
    if (going)
        result = ob_server_create_database(self->server, NULL, &conninfo, err);
    if (going && result == OB_OK) {
        result = replay_on(self, text, &token, scenario, conninfo, err);
        result = ob_server_drop_database(self->server, result, err);
    }
    free(conninfo);
    ob_token_clear(&token);
    return result;
}

static enum ob_result write_json(const struct replaying *self, const char *path,
                                 struct ob_error *err)
{
    bool is_stdout = strcmp(path, "-") == 0;
    json_t *root = json_pack("{s:s, s:O}", "overbook", OB_VERSION, "replays", self->results);
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

static enum ob_result replay_all(struct replaying *self, struct ob_error *err)
{
    const struct ob_options *options = self->options;
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < self->tokens.count && result == OB_OK && !ob_cli_interrupted(); i++)
        result = replay_token(self, &self->tokens.items[i], err);
    if (result == OB_OK && options->json)
        result = write_json(self, options->json, err);
    return result;
}

/* The paths that were named, else the files that the result names if all of them are there, else
 * the built-in ones. */
static enum ob_result load(const struct replaying *self, struct ob_scenario_list *list,
                           struct ob_error *err)
{
    const struct ob_options *options = self->options;
    const struct ob_tokens *tokens = &self->tokens;
    if (options->arg_count > 1)
        return ob_builtin_load(options, options->args + 1, options->arg_count - 1, list, err);
    for (size_t i = 0; i < tokens->file_count; i++)
        if (access(tokens->files[i], F_OK) != 0)
            return ob_builtin_load(options, NULL, 0, list, err);
    return ob_builtin_load(options, tokens->files, tokens->file_count, list, err);
}

static enum ob_result check_options(const struct ob_options *options, struct ob_error *err)
{
    if (options->arg_count > 0)
        return options->json ? ob_report_can_write(options->json, err) : OB_OK;
    ob_error_set(err, OB_USAGE, "nothing to replay was named");
    ob_error_hint(err, "overbook replay TOKEN, or overbook replay RESULT.json");
    return OB_USAGE;
}

int ob_command_replay(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_REPLAY, argc, argv, &options);
    struct ob_error err;
    struct ob_scenario_list list = {0};
    struct replaying self = {.options = &options, .list = &list, .results = json_array()};
    self.silent = options.json && strcmp(options.json, "-") == 0;
    enum ob_result result = check_options(&options, &err);
    if (result == OB_OK)
        result = ob_tokens_read(options.args[0], &self.tokens, &err);
    if (result == OB_OK)
        result = load(&self, &list, &err);
    if (result == OB_OK)
        result = replay_all(&self, &err);
    int status = self.diverged || ob_cli_interrupted() ? OB_EXIT_INCONCLUSIVE : OB_EXIT_EXPECTED;
    if (result != OB_OK)
        status = ob_cli_error(&err);
    else if (ob_cli_interrupted())
        ob_cli_say_interrupted();
    ob_server_close(self.server);
    status = ob_cli_finish(status);
    if (self.stuck)
        _exit(OB_EXIT_INCONCLUSIVE); /* an abandoned thread still uses what would be freed */
    json_decref(self.results);
    ob_tokens_clear(&self.tokens);
    ob_scenario_list_clear(&list);
    return status;
}
