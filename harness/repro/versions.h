/*
 * versions.h - what each commit of a run did to the rows of the tables.
 *
 * Not read out of statements: between two steps of the run all row versions (ctid, xmin) that are
 * visible are looked at from outside of the clients, and compared with those before.  Versions that
 * are gone and had been made visible by an earlier step of the run are one client's work that
 * another one has replaced.
 *
 * That a snapshot did not have a version follows from when it was taken; which rows a statement
 * looked at is not known, only in which tables.
 */
#ifndef OB_REPRO_VERSIONS_H
#define OB_REPRO_VERSIONS_H

#include "explore/rig.h"

/* The scenario's own tables, of pg_class c and pg_namespace n. */
#define OB_VERSIONS_TABLES                                                                 \
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
    " WHERE c.relkind = 'r' AND c.relpersistence <> 't'"                                   \
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'overbook')"               \
    " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid"            \
    "  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')"

/* What one step made visible in one table. */
struct ob_change {
    size_t step;
    size_t table;   /* index into the names */
    size_t added;   /* row versions that are there since */
    size_t removed; /* and that are no more: replaced or deleted */
    size_t *over;   /* the steps that had made these visible, OB_BEFORE_ALL among them; each once,
                       in no order; in the arena */
    size_t over_count;
};

struct ob_versions {
    bool known; /* false: they could not be looked at, and the rest says nothing */
    struct ob_arena arena;
    const char *const *names; /* of the tables, as footprints have them: "public.booking" */
    size_t name_count;
    struct ob_change *changes; /* in the order of their steps; owned */
    size_t change_count, change_capacity;
};

/* Makes the run of the schedule again, and looks; *trace is filled by it.  Nothing is known where
 * there are very many rows or a look fails, for instance for a lock on a whole table. */
OB_MUSTCHECK enum ob_result ob_versions_run(struct ob_rig *rig, const struct ob_schedule *schedule,
                                            struct ob_trace *trace, struct ob_versions *out,
                                            struct ob_error *err);
void ob_versions_init(struct ob_versions *versions);
void ob_versions_clear(struct ob_versions *versions);

#define OB_NO_TABLE SIZE_MAX

/* The table that a footprint names so; one of the schema public also goes without it, as people
 * declare it.  OB_NO_TABLE: none is called so. */
size_t ob_versions_table(const struct ob_versions *versions, uint64_t resource);

/* Its name, without the schema public; NULL: none is called so. */
const char *ob_versions_name(const struct ob_versions *versions, uint64_t resource);

/* What the step did to the table; NULL: nothing that is known. */
const struct ob_change *ob_versions_find(const struct ob_versions *versions, size_t step,
                                         uint64_t resource);

#endif
