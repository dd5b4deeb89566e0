/*
 * find.h - the PostgreSQL server programs on this machine.
 *
 * Looked for in this order: $OVERBOOK_PG_BINDIR (which alone counts when it is set), what
 * "pg_config --bindir" says, the newest /usr/lib/postgresql/VERSION/bin, and the folders of PATH.
 * A place counts when it holds postgres and initdb and the server is of version 13 or newer.
 */
#ifndef OB_PG_FIND_H
#define OB_PG_FIND_H

#include "base/error.h"

#define OB_PG_VERSION_MIN 130000

struct ob_pg_install {
    char *bindir;  /* absolute; owned */
    char *version; /* "15.18", "18beta1"; owned */
    int number;    /* as PG_VERSION_NUM: 150018; a development version counts as its .0 */
};

/* Fills *out, to be given back with ob_pg_install_clear().  OB_SERVER when there is no server or
 * only one that is too old or not whole, with what was found where and the cure. */
OB_MUSTCHECK enum ob_result ob_pg_find(struct ob_pg_install *out, struct ob_error *err);

void ob_pg_install_clear(struct ob_pg_install *install);

/* Reads what "postgres --version" prints: the version's text goes to version (size bytes), its
 * number is the result; 0 when line is no such text. */
int ob_pg_find_version(const char *line, char *version, unsigned size);

/* Whether a server that is not looked for, but somebody's own, is one to work on: OB_REFUSED when
 * it is older than OB_PG_VERSION_MIN.  number is what PQserverVersion() gives, version its text. */
OB_MUSTCHECK enum ob_result ob_pg_find_recent(int number, const char *version,
                                              struct ob_error *err);

#endif
