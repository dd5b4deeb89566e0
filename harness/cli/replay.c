/* replay.c - overbook replay: run recorded schedules again and compare. */
#include "base/alloc.h"
#include "base/version.h"
#include "cli/builtin.h"
#include "cli/cli.h"
#include "cli/database.h"
#include "repro/replay.h"
#include "target/target.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)4 << 20)

struct replaying {
    const struct ob_options *options;
    const struct ob_scenario_list *list;
    struct ob_server *server;
    json_t *results; /* one object for each token; owned */
    bool diverged, stuck;
    bool silent; /* standard output is for JSON */
};

/* The tokens of a result file; each copied to the heap. */
static enum ob_result read_tokens(const char *path, char ***out, size_t *count,
                                  struct ob_error *err)
{
    json_error_t where;
    json_t *root = json_load_file(path, 0, &where);
    if (!root) {
        ob_error_set(err, OB_INPUT, "%s:%d:%d: %s", path, where.line, where.column, where.text);
        ob_error_hint(err, "Name a token, or a result that \"overbook run --json FILE\" wrote.");
        return OB_INPUT;
    }
    size_t capacity = 0, i, k;
    json_t *result, *violation;
    json_array_foreach(json_object_get(root, "results"), i, result)
    {
        json_array_foreach(json_object_get(result, "violations"), k, violation)
        {
            const char *token = json_string_value(json_object_get(violation, "token"));
            if (!token || token[0] == '\0')
                continue;
            *out = ob_grow(*out, &capacity, *count + 1, sizeof **out);
            (*out)[(*count)++] = ob_strdup(token);
        }
    }
    bool is_result = json_is_array(json_object_get(root, "results"));
    json_decref(root);
    if (is_result && *count > 0)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "%s holds no token", path);
    ob_error_hint(err, is_result
                           ? "No violation was found in that result, so there is nothing to replay."
                           : "Name a result that \"overbook run --json FILE\" wrote.");
    return OB_INPUT;
}

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
    ob_error_hint(err, "Name the scenario's file or folder after the token.");
    return OB_INPUT;
}

static void print_replay(struct replaying *self, const struct ob_scenario *scenario, size_t variant,
                         const struct ob_rig *rig, const struct ob_replay *replay)
{
    struct ob_buf text;
    ob_buf_init(&text, TEXT_MAX);
    printf("%s, %s\n", scenario->name, scenario->variants[variant].name);
    ob_trace_print(&replay->trace, rig->client_names, self->options->verbosity > 0, &text);
    if (self->options->verbosity >= 0)
        fputs(text.data, stdout);
    for (size_t i = 0; i < replay->outcome.broken_count; i++)
        printf("breaks %s: %s\n", scenario->invariants[replay->outcome.broken[i].item].name,
               replay->outcome.broken[i].rows);
    if (replay->outcome.broken_count == 0)
        printf("breaks nothing\n");
    printf(replay->diverged ? "diverged: %s\n" : "the same as recorded, step by step%s\n",
           replay->why);
    ob_buf_clear(&text);
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
    json_t *item =
        json_pack("{s:s, s:s, s:s, s:b, s:s, s:I, s:o}", "token", token, "scenario", scenario->name,
                  "variant", scenario->variants[variant].name, "same", !replay->diverged, "why",
                  replay->why, "steps", (json_int_t)replay->trace.step_count, "violations", broken);
    json_array_append_new(self->results, item);
    self->diverged |= replay->diverged;
}

static enum ob_result replay_on(struct replaying *self, const char *text,
                                const struct ob_token *token, const struct ob_scenario *scenario,
                                const char *conninfo, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo, .limits = ob_limits_default(), .fixed_plans = true};
    struct ob_target *target = NULL;
    enum ob_result result = ob_target_open(scenario, token->variant, &options, &target, err);
    if (result != OB_OK)
        return result;
    struct ob_replay replay;
    struct ob_rig *rig = ob_target_rig(target);
    result = ob_replay_run(rig, token, &replay, err);
    if (result == OB_OK) {
        if (!self->silent)
            print_replay(self, scenario, token->variant, rig, &replay);
        note_replay(self, text, scenario, token->variant, &replay);
        ob_replay_clear(&replay);
    }
    self->stuck = result == OB_STUCK;
    if (!self->stuck)
        ob_target_close(target);
    return result;
}

static enum ob_result replay_token(struct replaying *self, const char *text, struct ob_error *err)
{
    struct ob_token token = {0};
    enum ob_result result = ob_token_decode(text, &token, err);
    if (result != OB_OK)
        return result;
    const struct ob_scenario *scenario = find_scenario(self->list, &token);
    char *conninfo = NULL;
    if (!scenario || token.variant >= scenario->variant_count)
        result = unknown_scenario(err);
    if (result == OB_OK && !self->server)
        result = ob_server_open(self->options, &self->server, err);
    if (result == OB_OK && token.server_version != ob_server_version_number(self->server))
        fprintf(stderr, "overbook: recorded on server version %u, replayed on %u\n",
                token.server_version, ob_server_version_number(self->server));
    if (result == OB_OK)
        result = ob_server_create_database(self->server, &conninfo, err);
    if (result == OB_OK) {
        result = replay_on(self, text, &token, scenario, conninfo, err);
        struct ob_error dropping;
        if (!self->stuck && ob_server_drop_database(self->server, &dropping) != OB_OK &&
            result == OB_OK) {
            *err = dropping;
            result = dropping.code;
        }
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

static enum ob_result replay_all(struct replaying *self, const char *what, struct ob_error *err)
{
    char **tokens = NULL;
    size_t count = 0;
    enum ob_result result = OB_OK;
    if (access(what, F_OK) == 0) {
        result = read_tokens(what, &tokens, &count, err);
    } else {
        tokens = ob_alloc(sizeof *tokens);
        tokens[count++] = ob_strdup(what);
    }
    for (size_t i = 0; i < count && result == OB_OK; i++)
        result = replay_token(self, tokens[i], err);
    for (size_t i = 0; i < count; i++)
        free(tokens[i]);
    free(tokens);
    if (result == OB_OK && self->options->json)
        result = write_json(self, self->options->json, err);
    return result;
}

int ob_command_replay(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_REPLAY, argc, argv, &options);
    struct ob_error err;
    if (options.arg_count == 0) {
        ob_error_set(&err, OB_USAGE, "nothing to replay was named");
        ob_error_hint(&err, "overbook replay TOKEN, or overbook replay RESULT.json");
        return ob_cli_error(&err);
    }
    struct ob_scenario_list list = {0};
    struct replaying self = {.options = &options, .list = &list, .results = json_array()};
    self.silent = options.json && strcmp(options.json, "-") == 0;
    enum ob_result result = ob_builtin_load(options.args + 1, options.arg_count - 1, &list, &err);
    if (result == OB_OK)
        result = replay_all(&self, options.args[0], &err);
    int status = self.diverged ? OB_EXIT_INCONCLUSIVE : OB_EXIT_EXPECTED;
    if (result != OB_OK)
        status = ob_cli_error(&err);
    ob_server_close(self.server);
    if (self.stuck) {
        fflush(stdout);
        _exit(OB_EXIT_INCONCLUSIVE); /* an abandoned thread still uses what would be freed */
    }
    json_decref(self.results);
    ob_scenario_list_clear(&list);
    return status;
}
