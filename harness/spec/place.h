/*
 * place.h - where specs are played: a database named isolation_regression, under the conditions
 * that their expected output was made in.
 */
#ifndef OB_SPEC_PLACE_H
#define OB_SPEC_PLACE_H

#include "base/error.h"
#include "pg/plain.h"

#define OB_SPEC_DATABASE "isolation_regression"

struct ob_spec_place; /* settings of the database, and connections */

/* Puts the time zone, the date style and the interval style of the expected output into this
 * process's environment, for libpq to ask for; PGOPTIONS of the user's stay, and isolation (NULL:
 * none) becomes the default level.  Before any thread is started. */
void ob_spec_place_conditions(const char *isolation);

/* A throwaway server, its settings PostgreSQL's own but for those that only make it faster, and the
 * database in it.  Before any thread is started. */
OB_MUSTCHECK enum ob_result ob_spec_place_open(struct ob_spec_place **out, struct ob_error *err);
/* In a fresh database of that name, made by the caller. */
OB_MUSTCHECK enum ob_result ob_spec_place_open_at(const char *conninfo, struct ob_spec_place **out,
                                                  struct ob_error *err);
void ob_spec_place_close(struct ob_spec_place *place); /* NULL is legal */

const char *ob_spec_place_conninfo(const struct ob_spec_place *place); /* of the database */
struct ob_pg_plain *ob_spec_place_plain(struct ob_spec_place *place);

#endif
