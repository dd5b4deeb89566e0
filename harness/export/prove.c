/*
 * prove.c - plays an export and compares it with its run.
 *
 * It is played under the conditions of isolationtester: deadlocks, wakes and the time are the
 * server's own business.  What differs from the run then would differ elsewhere too.
 */
#include "export/export_int.h"

#include "pg/plain.h"
#include "spec/player.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_S 60

struct proof {
    const struct ob_export *export;
    struct ob_buf complaints;
    char *difference; /* owned; NULL: there is none */
    bool compared;
};

static void hear(void *self, bool complaint, const char *text, size_t size)
{
    struct proof *proof = self;
    if (complaint)
        ob_buf_add(&proof->complaints, text, size);
}

/* The completion of the step's own operation, and the step in which it came. */
static const struct ob_completion *completion_of(const struct ob_trace *trace, size_t *index)
{
    size_t client = trace->steps[*index].client;
    for (; *index < trace->step_count; ++*index)
        for (size_t i = 0; i < trace->steps[*index].completion_count; i++)
            if (trace->steps[*index].completions[i].client == client)
                return &trace->steps[*index].completions[i];
    return NULL;
}

static const char *waiting(bool waits)
{
    return waits ? "waits for a lock" : "does not wait";
}

/* When the victim of a deadlock and those whom its end wakes are answered is a matter of
 * milliseconds, and what comes next waits for it. */
static char *compare_waits(const struct ob_export *export, size_t index, bool waits, size_t end)
{
    const struct ob_export_step *step = &export->steps[index];
    if (step->dies)
        return NULL;
    if (waits != step->waits)
        return ob_asprintf("%s %s, and in the run it %s", step->name, waiting(waits),
                           waiting(step->waits));
    bool loose = step->end != SIZE_MAX && export->steps[step->end].dies;
    if (end == step->end || loose)
        return NULL;
    return ob_asprintf("%s ends with %s, and in the run with %s", step->name,
                       end == SIZE_MAX ? "nothing" : export->steps[end].name,
                       step->end == SIZE_MAX ? "nothing" : export->steps[step->end].name);
}

static char *compare_step(const struct ob_export *export, const struct ob_trace *trace,
                          size_t index)
{
    const struct ob_export_step *step = &export->steps[index];
    const struct ob_step *ran = &trace->steps[index];
    size_t end = index;
    const struct ob_completion *completion = completion_of(trace, &end);
    if (ran->client != step->session)
        return ob_asprintf("%s does not come when it should", step->name);
    if (!step->known)
        return NULL;
    char *difference =
        compare_waits(export, index, ran->blocked >> ran->client & 1, completion ? end : SIZE_MAX);
    if (difference || !completion)
        return difference;
    if (strcmp(completion->sqlstate, step->sqlstate) != 0)
        return ob_asprintf("%s ends with %s (%s), and in the run with %s", step->name,
                           completion->sqlstate, completion->message, step->sqlstate);
    if (completion->row_count != step->row_count)
        return ob_asprintf("%s has %" PRIu32 " rows, and in the run %" PRIu32, step->name,
                           completion->row_count, step->row_count);
    if (completion->digest != step->digest)
        return ob_asprintf("%s has other rows than in the run", step->name);
    return NULL;
}

static void compare(void *arg, const struct ob_trace *trace)
{
    struct proof *proof = arg;
    const struct ob_export *export = proof->export;
    size_t check = export->check;
    proof->compared = true;
    for (size_t i = 0; i < export->step_count && !proof->difference; i++) {
        if (i == trace->step_count)
            proof->difference = ob_asprintf("it ends before %s", export->steps[i].name);
        else
            proof->difference = compare_step(export, trace, i);
    }
    const struct ob_completion *shown = proof->difference ? NULL : completion_of(trace, &check);
    if (shown && strcmp(shown->sqlstate, "00000") != 0)
        proof->difference = ob_asprintf("the check fails: %s", shown->message);
    else if (shown && shown->row_count == 0)
        proof->difference = ob_strdup("the check finds no offending rows");
}

/* Drops all that is in the database and did not come with it, but for the schema that marks it as
 * disposable; "" when there is nothing. */
static const char find_teardown[] =
    "WITH part AS (SELECT classid, objid FROM pg_depend WHERE deptype IN ('e', 'i', 'a'))\n"
    "SELECT coalesce(string_agg(line, E'\\n' ORDER BY rank, line), '') FROM (\n"
    " SELECT 1 AS rank, format('DROP SCHEMA %I CASCADE;', nspname) AS line FROM pg_namespace"
    "  WHERE oid >= 16384 AND nspname !~ '^pg_' AND nspname <> 'overbook'\n"
    " UNION ALL SELECT 2, format('DROP %s IF EXISTS %I CASCADE;', CASE relkind"
    "  WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'"
    "  WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, relname)\n"
    "  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN"
    "  ('r', 'p', 'v', 'm', 'S', 'f', 'c')"
    "  AND ('pg_class'::regclass, oid) NOT IN (SELECT classid, objid FROM part)\n"
    " UNION ALL SELECT 3, format('DROP ROUTINE IF EXISTS %s CASCADE;', oid::regprocedure)"
    "  FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    "  AND ('pg_proc'::regclass, oid) NOT IN (SELECT classid, objid FROM part)\n"
    " UNION ALL SELECT 4, format('DROP TYPE IF EXISTS %I CASCADE;', typname) FROM pg_type"
    "  WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd', 'r')"
    "  AND ('pg_type'::regclass, oid) NOT IN (SELECT classid, objid FROM part)\n"
    " UNION ALL SELECT 5, format('DROP EXTENSION %I CASCADE;', extname) FROM pg_extension"
    "  WHERE oid >= 16384\n"
    " UNION ALL SELECT 6, 'DROP FUNCTION overbook.now(); DROP SEQUENCE overbook.clock;'"
    "  WHERE to_regclass('overbook.clock') IS NOT NULL) AS lines";

static void fill_teardown(struct ob_export *export, struct ob_pg_plain *plain)
{
    PGresult *result = ob_pg_plain_exec(plain, OB_NO_CLIENT, find_teardown);
    const char *found = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    if (*found != '\0')
        export->teardown = ob_arena_strdup(&export->arena, found);
    PQclear(result);
}

static enum ob_result judge(const struct proof *proof, bool played, struct ob_error *err)
{
    if (proof->compared && played && !proof->difference)
        return OB_OK;
    ob_error_set(err, OB_INPUT, "outside of overbook the run goes another way");
    ob_error_detail(err, "%s.", proof->difference ? proof->difference : proof->complaints.data);
    ob_error_hint(err, "It was played like an isolation spec, and nothing was written; \"overbook "
                       "replay\" does it as it was.");
    return OB_INPUT;
}

static enum ob_result play(struct ob_export *export, const struct ob_spec *spec,
                           struct ob_pg_plain *plain, struct ob_error *err)
{
    struct proof proof = {.export = export};
    ob_buf_init(&proof.complaints, 1 << 12);
    const struct ob_spec_options options = {
        .limit_s = LIMIT_S, .performed = compare, .arg = &proof};
    const struct ob_spec_out out = {.self = &proof, .write = hear};
    bool played = false;
    enum ob_result result = ob_spec_play(spec, plain, &options, &out, &played, err);
    if (result == OB_OK)
        result = judge(&proof, played, err);
    if (result == OB_OK)
        fill_teardown(export, plain);
    ob_buf_clear(&proof.complaints);
    free(proof.difference);
    return result;
}

enum ob_result ob_export_prove(struct ob_export *export, const char *conninfo, struct ob_error *err)
{
    struct ob_buf text;
    struct ob_spec *spec = NULL;
    struct ob_pg_plain *plain = NULL;
    ob_buf_init(&text, SIZE_MAX);
    enum ob_result result = ob_export_spec(export, &text, err);
    if (result == OB_OK)
        result = ob_spec_parse("the export", text.data, text.size, &spec, err);
    if (result == OB_OK)
        result = ob_pg_plain_open(conninfo, &plain, err);
    if (result == OB_OK)
        result = play(export, spec, plain, err);
    ob_pg_plain_close(plain);
    ob_spec_free(spec);
    ob_buf_clear(&text);
    return result;
}
