/* setting.h - a setting that a user wants the clients' sessions to begin with: "NAME=VALUE". */
#ifndef OB_PG_SETTING_H
#define OB_PG_SETTING_H

#include "base/buf.h"
#include "base/error.h"

#include <libpq-fe.h>

/* OB_USAGE: it is no such text, or a setting that overbook has to decide on itself. */
OB_MUSTCHECK enum ob_result ob_pg_setting_check(const char *setting, struct ob_error *err);

/* Appends " -c NAME=VALUE", as a session's options want it. */
void ob_pg_setting_add(const char *setting, struct ob_buf *options);

/* Sets it for the transaction that the connection is in.  OB_SQL: the server does not take it. */
OB_MUSTCHECK enum ob_result ob_pg_setting_try(PGconn *conn, const char *setting,
                                              struct ob_error *err);

#endif
