/* report.c - overbook report: a stored result, shown and written again in other forms. */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/stored.h"

/* What the whole call took is not stored: the variants' own times come nearest. */
static void add_up_time(struct ob_report *report)
{
    for (size_t i = 0; i < report->result_count; i++)
        report->seconds += report->results[i].seconds_total;
}

int ob_command_report(int argc, char **argv)
{
    struct ob_options options;
    struct ob_error err;
    struct ob_report report;
    ob_options_parse(OB_COMMAND_REPORT, argc, argv, &options);
    ob_report_init(&report);
    enum ob_result result = ob_output_check(&options, &err);
    if (result == OB_OK && options.arg_count != 1) {
        result = ob_error_set(&err, OB_USAGE, "overbook report takes one stored result, not %zu",
                              options.arg_count);
        ob_error_hint(&err, "Name what \"overbook run --json FILE\" wrote; \"overbook merge\" puts "
                            "the results of shards together.");
    }
    if (result == OB_OK)
        result = ob_stored_read(options.args[0], &report, &err);
    if (result == OB_OK) {
        add_up_time(&report);
        result = ob_output_all(&report, &options, &err);
    }
    int status = result == OB_OK ? ob_report_exit_status(&report) : ob_cli_error(&err);
    ob_report_clear(&report);
    return ob_cli_finish(status);
}
