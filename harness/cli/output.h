/* output.h - where a report goes: the table on standard output, and files. */
#ifndef OB_CLI_OUTPUT_H
#define OB_CLI_OUTPUT_H

#include "cli/cli.h"
#include "report.h"

/* What would spoil the outputs is known before anything runs: OB_USAGE, OB_IO. */
OB_MUSTCHECK enum ob_result ob_output_check(const struct ob_options *options, struct ob_error *err);

/* Whether a file is asked for at all. */
bool ob_output_wants_files(const struct ob_options *options);

/* NULL when standard output is for a file; both are borrowed for its life. */
struct ob_table *ob_output_table(const struct ob_report *report, const struct ob_options *options);

OB_MUSTCHECK enum ob_result ob_output_write(const struct ob_report *report,
                                            const struct ob_options *options, struct ob_error *err);

/* The table and the files of a report that is complete. */
OB_MUSTCHECK enum ob_result ob_output_all(const struct ob_report *report,
                                          const struct ob_options *options, struct ob_error *err);

#endif
