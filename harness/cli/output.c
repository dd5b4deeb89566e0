#include "cli/output.h"

#include <string.h>
#include <unistd.h>

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

enum ob_result ob_output_check(const struct ob_options *options, struct ob_error *err)
{
    const char *json = options->json, *junit = options->junit;
    if (json && junit && strcmp(json, junit) == 0 && strcmp(json, "/dev/null") != 0) {
        ob_error_set(err, OB_USAGE, "--json and --junit both go to %s",
                     is_stdout(json) ? "standard output" : json);
        ob_error_hint(err, "Name a file of its own for one of them.");
        return OB_USAGE;
    }
    enum ob_result result = json ? ob_report_can_write(json, err) : OB_OK;
    if (result == OB_OK && junit)
        result = ob_report_can_write(junit, err);
    return result;
}

struct ob_table *ob_output_table(const struct ob_report *report, const struct ob_options *options)
{
    if (is_stdout(options->json) || is_stdout(options->junit))
        return NULL;
    const struct ob_table_options how = {
        .color = ob_cli_color(options->color, STDOUT_FILENO),
        .unicode = ob_cli_unicode(),
        .whole = !isatty(STDOUT_FILENO),
        .width = ob_cli_width(STDOUT_FILENO),
        .verbosity = options->verbosity,
    };
    return ob_table_new(report, &how, stdout);
}

enum ob_result ob_output_write(const struct ob_report *report, const struct ob_options *options,
                               struct ob_error *err)
{
    enum ob_result result = OB_OK;
    if (options->json)
        result = ob_report_write(report, ob_report_json, options->json, err);
    if (result == OB_OK && options->junit)
        result = ob_report_write(report, ob_report_junit, options->junit, err);
    return result;
}
