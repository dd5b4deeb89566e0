/*
 * redact.h - connection strings as they may be shown: without their secrets.
 *
 * A URL or conninfo string must pass through here before it goes to any output, log or result.
 * What is in doubt is hidden: a string that libpq would refuse may still hold a password.
 */
#ifndef OB_PG_REDACT_H
#define OB_PG_REDACT_H

#include "base/error.h"

/* text with each secret replaced by "***": the password of user:password@, and the values of
 * password, sslpassword, passwd, pwd, oauth_client_secret and the scram keys in a URL's query or
 * in keyword form (quoted or not, any case, percent-encoded names too).  The caller's to free. */
char *ob_pg_redact_url(const char *text);

/* Checks that libpq can parse text, and that a URL has no piece of a password where it would not be
 * taken for one.  OB_USAGE otherwise, with libpq's reason but without what it quotes from text,
 * since that may be a part of the password; a parameter that is none is named where it cannot be.
 */
OB_MUSTCHECK enum ob_result ob_pg_url_check(const char *text, struct ob_error *err);

#endif
