/*
 * probe.h - the probe (harness/probe), a server module that overbook brings along: where its file
 * is, and a copy of it that a server of our own can read.
 *
 * The file is named after the server's major version, overbook_probe-15.so, and is looked for
 * beside the program, above it (build directories) and in ../lib/overbook (where it is installed).
 * $OVERBOOK_PROBE names it instead; set and empty, there is none.
 */
#ifndef OB_PG_PROBE_H
#define OB_PG_PROBE_H

#include "base/error.h"
#include "pg/find.h"
#include "pg/home.h"

/* The file for this server; NULL when there is none.  The caller's to free. */
char *ob_pg_probe_find(const struct ob_pg_install *install);

/* Copies it into a home that has not been handed over yet; *out is the copy's path, the caller's to
 * free, or NULL where there is no probe or none can be loaded from there.  OB_IO: it could not be
 * written. */
OB_MUSTCHECK enum ob_result ob_pg_probe_place(const struct ob_pg_install *install,
                                              const struct ob_pg_home *home, char **out,
                                              struct ob_error *err);

#endif
