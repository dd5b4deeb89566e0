/*
 * file.h - specs as files.
 */
#ifndef OB_SPEC_FILE_H
#define OB_SPEC_FILE_H

#include "base/buf.h"
#include "base/error.h"
#include "scenario/spec.h"

/* Adds a whole file ("-": standard input) to out.  OB_INPUT: it cannot be read, or is over 1 MB. */
OB_MUSTCHECK enum ob_result ob_spec_file_text(const char *path, struct ob_buf *out,
                                              struct ob_error *err);

/* Reads and parses one. */
OB_MUSTCHECK enum ob_result ob_spec_file_read(const char *path, struct ob_spec **out,
                                              struct ob_error *err);

/* "deadlock" of "specs/deadlock.spec"; the caller's to free. */
char *ob_spec_file_name(const char *path);

#endif
