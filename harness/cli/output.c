#include "cli/output.h"

#include <string.h>
#include <unistd.h>

#define OUTPUT_COUNT 5

struct output {
    const char *option, *path; /* path NULL: not asked for */
    ob_report_renderer *renderer;
};

static void outputs_of(const struct ob_options *options, struct output out[OUTPUT_COUNT])
{
    const struct output all[OUTPUT_COUNT] = {
        {"json", options->json, ob_report_json},
        {"junit", options->junit, ob_report_junit},
        {"html", options->html, ob_report_html},
        {"perfetto", options->perfetto, ob_report_perfetto},
        {"gitlab", options->gitlab, ob_report_gitlab},
    };
    memcpy(out, all, sizeof all);
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool any_is_stdout(const struct ob_options *options)
{
    struct output outputs[OUTPUT_COUNT];
    bool any = false;
    outputs_of(options, outputs);
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        any |= is_stdout(outputs[i].path);
    return any;
}

static enum ob_result check_apart(const struct output *a, const struct output *b,
                                  struct ob_error *err)
{
    if (!a->path || !b->path || strcmp(a->path, b->path) != 0 || strcmp(a->path, "/dev/null") == 0)
        return OB_OK;
    ob_error_set(err, OB_USAGE, "--%s and --%s both go to %s", a->option, b->option,
                 is_stdout(a->path) ? "standard output" : a->path);
    ob_error_hint(err, "Name a file of its own for one of them.");
    return OB_USAGE;
}

enum ob_result ob_output_check(const struct ob_options *options, struct ob_error *err)
{
    struct output outputs[OUTPUT_COUNT];
    enum ob_result result = OB_OK;
    outputs_of(options, outputs);
    for (size_t i = 0; i < OUTPUT_COUNT && result == OB_OK; i++)
        for (size_t k = 0; k < i && result == OB_OK; k++)
            result = check_apart(&outputs[k], &outputs[i], err);
    if (result == OB_OK && options->github && any_is_stdout(options)) {
        ob_error_set(err, OB_USAGE, "the commands of --github go to standard output too");
        ob_error_hint(err, "Name a file for what was to go there.");
        result = OB_USAGE;
    }
    for (size_t i = 0; i < OUTPUT_COUNT && result == OB_OK; i++)
        if (outputs[i].path)
            result = ob_report_can_write(outputs[i].path, err);
    return result;
}

bool ob_output_wants_files(const struct ob_options *options)
{
    struct output outputs[OUTPUT_COUNT];
    bool any = false;
    outputs_of(options, outputs);
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        any |= outputs[i].path != NULL;
    return any;
}

static struct ob_table_options how_to_print(const struct ob_options *options)
{
    return (struct ob_table_options){
        .color = ob_cli_color(options->color, STDOUT_FILENO),
        .unicode = ob_cli_unicode(),
        .whole = !isatty(STDOUT_FILENO),
        .width = ob_cli_width(STDOUT_FILENO),
        .verbosity = options->verbosity,
    };
}

struct ob_table *ob_output_table(const struct ob_report *report, const struct ob_options *options)
{
    const struct ob_table_options how = how_to_print(options);
    return any_is_stdout(options) ? NULL : ob_table_new(report, &how, stdout);
}

enum ob_result ob_output_write(const struct ob_report *report, const struct ob_options *options,
                               struct ob_error *err)
{
    struct output outputs[OUTPUT_COUNT];
    enum ob_result result = OB_OK;
    outputs_of(options, outputs);
    for (size_t i = 0; i < OUTPUT_COUNT && result == OB_OK; i++)
        if (outputs[i].path)
            result = ob_report_write(report, outputs[i].renderer, outputs[i].path, err);
    if (result == OB_OK && options->github)
        result = ob_report_write(report, ob_report_github, "-", err);
    return result;
}

enum ob_result ob_output_all(const struct ob_report *report, const struct ob_options *options,
                             struct ob_error *err)
{
    enum ob_result result = OB_OK;
    const struct ob_table_options how = how_to_print(options);
    if (!any_is_stdout(options))
        result = report->rollout                ? ob_report_rollout(report, &how, stdout, err)
                 : ob_report_has_matrix(report) ? ob_report_matrix(report, &how, stdout, err)
                                                : ob_report_table(report, &how, stdout, err);
    return result == OB_OK ? ob_output_write(report, options, err) : result;
}
