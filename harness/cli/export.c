/* export.c - overbook export: a run that breaks an invariant, for other tools to run. */
#include "export/export.h"

#include "cli/again.h"
#include "cli/pinned.h"
#include "repro/replay.h"

#include "base/alloc.h"
#include "base/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum ob_result (*write)(const struct ob_export *export, struct ob_buf *out,
                            struct ob_error *err);
} forms[] = {
    {"spec", ob_export_spec},
    {"psql", ob_export_psql},
    {"cmocka", ob_export_cmocka},
    {"yaml", NULL}, /* the scenario's own text, and so made by the run: pin() */
};

#define FORM_COUNT (sizeof forms / sizeof *forms)

struct exporting {
    struct ob_script script;
    struct ob_export export;
    struct ob_buf pinned; /* yaml: the text; only then */
    bool pins, made, diverged;
};

/* Which of those that the run breaks: the first that the result names, or else that it breaks. */
static const struct ob_broken *choose(const struct ob_again_run *run,
                                      const struct ob_run_outcome *outcome)
{
    for (size_t i = 0; i < outcome->broken_count && run->text->broken_count > 0; i++)
        if (strcmp(run->scenario->invariants[outcome->broken[i].item].name, run->text->broken[0]) ==
            0)
            return &outcome->broken[i];
    return outcome->broken_count > 0 ? &outcome->broken[0] : NULL;
}

static enum ob_result make(struct exporting *self, const struct ob_again_run *run,
                           const struct ob_replay *replay, struct ob_error *err)
{
    const struct ob_rig *rig = ob_target_rig(run->target);
    const struct ob_broken *broken = choose(run, &replay->outcome);
    if (!broken) {
        ob_error_set(err, OB_INPUT, "this run of %s breaks nothing, so it has nothing to show",
                     run->scenario->name);
        ob_error_hint(err, "Name the token of a violation.");
        return OB_INPUT;
    }
    const struct ob_export_source source = {
        .scenario = run->scenario,
        .variant = run->token->variant,
        .token = run->record->token,
        .trace = &replay->trace,
        .script = &self->script,
        .client_names = rig->client_names,
        .client_count = rig->spec.client_count,
        .item = broken->item,
        .broken = broken,
    };
    if (self->pins)
        return ob_export_yaml(&source, &self->pinned, err);
    enum ob_result result = ob_export_make(&source, &self->export, err);
    self->made = result == OB_OK;
    return result;
}

static enum ob_result make_again(void *arg, const struct ob_again_run *run, struct ob_error *err)
{
    struct exporting *self = arg;
    struct ob_replay replay;
    enum ob_result result =
        ob_replay_run(ob_target_rig(run->target), run->token, false, &replay, err);
    if (result != OB_OK)
        return result;
    self->diverged = replay.diverged;
    if (self->diverged)
        fprintf(stderr, "overbook: not exported, since the run goes another way here: %s\n",
                replay.why);
    else
        result = make(self, run, &replay, err);
    ob_replay_clear(&replay);
    return result;
}

static enum ob_result find_form(const struct ob_options *options, size_t *form,
                                struct ob_error *err)
{
    const char *names[FORM_COUNT];
    for (size_t i = 0; i < FORM_COUNT; i++) {
        names[i] = forms[i].name;
        *form = i;
        if (options->as && strcmp(options->as, names[i]) == 0)
            return options->output ? ob_report_can_write(options->output, err) : OB_OK;
    }
    if (options->as)
        ob_error_set(err, OB_USAGE, "--as takes no form \"%s\"", options->as);
    else
        ob_error_set(err, OB_USAGE, "--as is missing: what is to be written?");
    ob_error_detail(err, "Known are spec, psql, cmocka and yaml.");
    const char *nearest = options->as ? ob_parse_nearest(options->as, names, FORM_COUNT) : NULL;
    if (nearest)
        ob_error_hint(err, "Did you mean \"%s\"?", nearest);
    return OB_USAGE;
}

static enum ob_result check_count(const struct ob_again *again, struct ob_error *err)
{
    if (again->tokens.count <= 1)
        return OB_OK;
    ob_error_set(err, OB_USAGE, "%s has %zu runs, and one can be exported", again->options->args[0],
                 again->tokens.count);
    ob_error_hint(err, "Name the token of one of them, such as %s.",
                  again->tokens.items[0].run.token);
    return OB_USAGE;
}

/* --- a pinned scenario, played */

static bool breaks(const struct ob_scenario *scenario, size_t variant,
                   const struct ob_replay *replay)
{
    for (size_t i = 0; i < replay->outcome.broken_count; i++) {
        const char *name = scenario->invariants[replay->outcome.broken[i].item].name;
        if (strcmp(name, scenario->variants[variant].violates) == 0)
            return true;
    }
    return false;
}

static enum ob_result play(struct ob_again *again, const struct ob_scenario *scenario,
                           const struct ob_token *token, const char *conninfo, struct ob_error *err)
{
    const struct ob_target_options options = {
        .conninfo = conninfo,
        .limits = ob_limits_default(),
        .fixed_plans = true,
        .own_server = ob_server_embedded(again->server),
    };
    struct ob_target *target = NULL;
    struct ob_replay replay;
    enum ob_result result = ob_target_open(scenario, token->variant, &options, &target, err);
    if (result != OB_OK)
        return result;
    result = ob_replay_run(ob_target_rig(target), token, false, &replay, err);
    if (result == OB_OK) {
        if (replay.diverged || !breaks(scenario, token->variant, &replay))
            result = ob_error_set(err, OB_INPUT, "not exported: the copy of %s goes another way",
                                  scenario->name);
        ob_replay_clear(&replay);
    }
    again->stuck = result == OB_STUCK;
    if (!again->stuck)
        ob_target_close(target);
    return result;
}

/* That the text is a scenario, which its own run breaks as it should. */
static enum ob_result prove_pinned(struct ob_again *again, const struct ob_buf *text,
                                   struct ob_error *err)
{
    struct ob_scenario *scenario = NULL;
    struct ob_token token = {0};
    char *conninfo = NULL;
    enum ob_result result =
        ob_scenario_parse("the pinned scenario", text->data, text->size, &scenario, err);
    if (result == OB_OK)
        result = ob_pinned_read(scenario, &token, err);
    if (result == OB_OK)
        result = ob_server_create_database(again->server, NULL, &conninfo, err);
    if (result == OB_OK) {
        result = play(again, scenario, &token, conninfo, err);
        result = ob_server_drop_database(again->server, result, err);
    }
    free(conninfo);
    ob_token_clear(&token);
    ob_scenario_free(scenario);
    return result;
}

/* In a database of its own, since that of the run is not as it was. */
static enum ob_result prove(struct ob_again *again, struct ob_export *export, struct ob_error *err)
{
    char *conninfo = NULL;
    enum ob_result result = ob_server_create_database(again->server, NULL, &conninfo, err);
    if (result != OB_OK)
        return result;
    result = ob_export_prove(export, conninfo, err);
    result = ob_server_drop_database(again->server, result, err);
    free(conninfo);
    return result;
}

static enum ob_result write_out(const struct ob_options *options, const struct ob_buf *text,
                                struct ob_error *err)
{
    bool is_stdout = !options->output || strcmp(options->output, "-") == 0;
    FILE *file = is_stdout ? stdout : fopen(options->output, "wb");
    size_t written = file ? fwrite(text->data, 1, text->size, file) : 0;
    int failed = written < text->size;
    if (file)
        failed |= is_stdout ? fflush(file) : fclose(file);
    if (!failed)
        return OB_OK;
    return ob_error_set(err, OB_IO, "could not write \"%s\": %s",
                        is_stdout ? "standard output" : options->output, strerror(errno));
}

static enum ob_result finish(struct ob_again *again, struct exporting *self, size_t form,
                             struct ob_error *err)
{
    struct ob_buf text;
    if (self->pins) {
        enum ob_result proven = prove_pinned(again, &self->pinned, err);
        return proven == OB_OK ? write_out(again->options, &self->pinned, err) : proven;
    }
    enum ob_result result = prove(again, &self->export, err);
    ob_buf_init(&text, SIZE_MAX);
    if (result == OB_OK)
        result = forms[form].write(&self->export, &text, err);
    if (result == OB_OK)
        result = write_out(again->options, &text, err);
    ob_buf_clear(&text);
    return result;
}

int ob_command_export(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_EXPORT, argc, argv, &options);
    struct ob_error err;
    struct ob_again again = {0};
    struct exporting self = {0};
    size_t form;
    ob_script_init(&self.script);
    ob_buf_init(&self.pinned, SIZE_MAX);
    enum ob_result result = find_form(&options, &form, &err);
    if (result == OB_OK)
        result = ob_again_open(&again, &options, true, &err);
    self.pins = result == OB_OK && !forms[form].write;
    again.script = self.pins ? NULL : &self.script;
    if (result == OB_OK)
        result = check_count(&again, &err);
    if (result == OB_OK)
        result = ob_again_each(&again, make_again, &self, &err);
    bool pinned = self.pins && self.pinned.size > 0;
    if (result == OB_OK && (self.made || pinned) && !ob_cli_interrupted())
        result = finish(&again, &self, form, &err);
    int status = ob_again_close(&again, result, self.diverged, &err);
    if (self.made)
        ob_export_clear(&self.export);
    ob_buf_clear(&self.pinned);
    ob_script_clear(&self.script);
    return status;
}
