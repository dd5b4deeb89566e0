/*
 * file.h - opening a file that somebody names.
 */
#ifndef OB_BASE_FILE_H
#define OB_BASE_FILE_H

#include "base/error.h"

#include <stdio.h>

/* Opens a file for reading; the caller's to close.  OB_INPUT when it cannot be opened or is no
 * ordinary file: a pipe or a terminal that nobody writes to would be waited for, and a device may
 * have no end. */
OB_MUSTCHECK enum ob_result ob_file_open(const char *path, FILE **out, struct ob_error *err);

#endif
