/* output.h - where a report goes: the table on standard output, and files. */
#ifndef OB_CLI_OUTPUT_H
#define OB_CLI_OUTPUT_H

#include "cli/cli.h"
#include "report.h"

/* What would spoil the outputs is known before anything runs: OB_USAGE, OB_IO. */
OB_MUSTCHECK enum ob_result ob_output_check(const struct ob_options *options, struct ob_error *err);

/* NULL when standard output is for a file; both are borrowed for its life. */
struct ob_table *ob_output_table(const struct ob_report *report, const struct ob_options *options);

OB_MUSTCHECK enum ob_result ob_output_write(const struct ob_report *report,
                                            const struct ob_options *options, struct ob_error *err);

#endif
