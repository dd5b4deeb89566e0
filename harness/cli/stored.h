/* stored.h - results that --json wrote, read again. */
#ifndef OB_CLI_STORED_H
#define OB_CLI_STORED_H

#include "report.h"

/* Inits out and fills it; the caller clears it, also after an error. */
OB_MUSTCHECK enum ob_result ob_stored_read(const char *path, struct ob_report *out,
                                           struct ob_error *err);

#endif
