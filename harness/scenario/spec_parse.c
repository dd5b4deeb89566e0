/*
 * spec_parse.c - the grammar of a spec.  See spec_int.h.
 *
 *     spec:        setup* teardown? session+ permutation*
 *     session:     "session" NAME setup? step+ teardown?
 *     step:        "step" NAME SQL
 *     permutation: "permutation" launch+
 *     launch:      NAME ("(" blocker ("," blocker)* ")")?
 *     blocker:     "*" | NAME | NAME "notices" NUMBER
 *
 * One token decides everywhere, and nothing contains itself, so loops are enough.
 */
#include "scenario/spec_int.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ob_spec_refuse(struct ob_spec_reader *r, struct ob_place place, const char *hint,
                    const char *fmt, ...)
{
    char text[sizeof r->err->message + 1];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ob_error_set(r->err, OB_INPUT, "%s", text);
    ob_error_detail(r->err, "%s:%d:%d", r->name, place.line, place.column);
    ob_error_hint(r->err, "%s", hint);
    return false;
}

static const struct ob_spec_token *next(const struct ob_spec_reader *r)
{
    return &r->tokens.items[r->at];
}

/* Refuses the token that comes.  wanted is what could stand there. */
static bool refuse_next(struct ob_spec_reader *r, const char *wanted)
{
    const struct ob_spec_token *token = next(r);
    if (token->kind == OB_SPEC_BAD)
        return ob_spec_refuse(r, token->place, token->hint, "%s", token->text);
    char hint[sizeof r->err->hint];
    snprintf(hint, sizeof hint, "expected here: %s", wanted);
    return ob_spec_refuse(r, token->place, hint, "syntax error at line %d", token->end_line);
}

/* Goes past the token that comes, if it is of that kind. */
static bool skip(struct ob_spec_reader *r, enum ob_spec_token_kind kind)
{
    if (next(r)->kind != kind)
        return false;
    assert(kind != OB_SPEC_END && kind != OB_SPEC_BAD);
    r->at++;
    return true;
}

static bool read_name(struct ob_spec_reader *r, const char **out)
{
    if (next(r)->kind != OB_SPEC_NAME)
        return refuse_next(r, "a name (a keyword as a name is put in double quotes)");
    *out = r->tokens.items[r->at++].text;
    return true;
}

static bool read_sql(struct ob_spec_reader *r, const char **out)
{
    if (next(r)->kind != OB_SPEC_SQL)
        return refuse_next(r, "SQL in braces");
    *out = r->tokens.items[r->at++].text;
    return true;
}

/* Leaves *out alone when the keyword does not come. */
static bool read_optional(struct ob_spec_reader *r, enum ob_spec_token_kind keyword,
                          const char **out)
{
    return !skip(r, keyword) || read_sql(r, out);
}

static bool read_step(struct ob_spec_reader *r, size_t session)
{
    struct ob_spec *spec = r->spec;
    struct ob_spec_step *step = &spec->steps[spec->step_count];
    step->session = session;
    r->step_tokens[spec->step_count] = r->at;
    spec->step_count++;
    return read_name(r, &step->name) && read_sql(r, &step->sql);
}

static bool read_session(struct ob_spec_reader *r)
{
    struct ob_spec *spec = r->spec;
    size_t index = spec->session_count;
    if (index == OB_SPEC_SESSIONS_MAX)
        return ob_spec_refuse(r, r->tokens.items[r->at - 1].place, "split the spec",
                              "more than %zu sessions", OB_SPEC_SESSIONS_MAX);
    struct ob_spec_session *session = &spec->sessions[spec->session_count++];
    session->first_step = spec->step_count;
    if (!read_name(r, &session->name) || !read_optional(r, OB_SPEC_KEY_SETUP, &session->setup))
        return false;
    if (next(r)->kind != OB_SPEC_KEY_STEP)
        return refuse_next(r, session->setup ? "\"step\": a session has at least one"
                                             : "\"setup\" or \"step\"");
    while (skip(r, OB_SPEC_KEY_STEP)) {
        if (!read_step(r, index))
            return false;
    }
    session->step_count = spec->step_count - session->first_step;
    return read_optional(r, OB_SPEC_KEY_TEARDOWN, &session->teardown);
}

static bool read_blocker(struct ob_spec_reader *r)
{
    struct ob_spec_blocker *blocker = &r->blockers[r->blocker_count++];
    if (skip(r, OB_SPEC_STAR)) {
        blocker->kind = OB_SPEC_ONCE;
        return true;
    }
    blocker->kind = OB_SPEC_STEP;
    blocker->step = r->at;
    if (!skip(r, OB_SPEC_NAME))
        return refuse_next(r, "a blocker: *, a step, or a step and \"notices\" with a number");
    if (!skip(r, OB_SPEC_KEY_NOTICES))
        return true;
    blocker->kind = OB_SPEC_NOTICES;
    blocker->notices = next(r)->number;
    return skip(r, OB_SPEC_NUMBER) || refuse_next(r, "the number of notices");
}

static bool read_launch(struct ob_spec_reader *r)
{
    struct ob_spec_launch *launch = &r->launches[r->launch_count++];
    launch->step = r->at++;
    launch->blockers = r->blockers + r->blocker_count;
    if (!skip(r, OB_SPEC_OPEN))
        return true;
    do {
        if (!read_blocker(r))
            return false;
        launch->blocker_count++;
    } while (skip(r, OB_SPEC_COMMA));
    return skip(r, OB_SPEC_CLOSE) || refuse_next(r, "a comma or a closing parenthesis");
}

static bool read_permutation(struct ob_spec_reader *r)
{
    struct ob_spec_permutation *permutation = &r->spec->permutations[r->spec->permutation_count++];
    if (next(r)->kind != OB_SPEC_NAME)
        return refuse_next(r, "a step: a permutation names at least one");
    permutation->launches = r->launches + r->launch_count;
    while (next(r)->kind == OB_SPEC_NAME) {
        if (!read_launch(r))
            return false;
        permutation->launch_count++;
    }
    return true;
}

/* What could come where the file does not go on as it should. */
static const char *wanted_at_end(const struct ob_spec *spec)
{
    if (spec->permutation_count > 0)
        return "a step or \"permutation\"";
    if (spec->sessions[spec->session_count - 1].teardown)
        return "\"session\" or \"permutation\"";
    return "\"step\", \"teardown\", \"session\" or \"permutation\"";
}

static bool read_spec(struct ob_spec_reader *r)
{
    struct ob_spec *spec = r->spec;
    while (skip(r, OB_SPEC_KEY_SETUP)) {
        if (!read_sql(r, &spec->setups[spec->setup_count++]))
            return false;
    }
    if (!read_optional(r, OB_SPEC_KEY_TEARDOWN, &spec->teardown))
        return false;
    if (next(r)->kind != OB_SPEC_KEY_SESSION)
        return refuse_next(r, spec->teardown ? "\"session\": a spec has at least one"
                                             : "\"setup\", \"teardown\" or \"session\"");
    while (skip(r, OB_SPEC_KEY_SESSION)) {
        if (!read_session(r))
            return false;
    }
    while (skip(r, OB_SPEC_KEY_PERMUTATION)) {
        if (!read_permutation(r))
            return false;
    }
    return next(r)->kind == OB_SPEC_END || refuse_next(r, wanted_at_end(spec));
}

/* Room for all that the tokens can be: each step, session, … begins with its keyword, and each
 * launch and blocker is a name or a star. */
static void make_room(struct ob_spec_reader *r)
{
    const size_t *of_kind = r->tokens.of_kind;
    struct ob_spec *spec = r->spec;
    struct ob_arena *arena = &spec->arena;
    size_t sessions = of_kind[OB_SPEC_KEY_SESSION];
    size_t steps = of_kind[OB_SPEC_KEY_STEP];
    size_t blockers = of_kind[OB_SPEC_NAME] + of_kind[OB_SPEC_STAR] + 1;
    if (sessions > OB_SPEC_SESSIONS_MAX)
        sessions = OB_SPEC_SESSIONS_MAX;
    spec->setups = ob_arena_alloc(arena, of_kind[OB_SPEC_KEY_SETUP] * sizeof *spec->setups);
    spec->sessions = ob_arena_alloc(arena, sessions * sizeof *spec->sessions);
    spec->steps = ob_arena_alloc(arena, steps * sizeof *spec->steps);
    spec->permutations =
        ob_arena_alloc(arena, of_kind[OB_SPEC_KEY_PERMUTATION] * sizeof *spec->permutations);
    r->launches = ob_arena_alloc(arena, of_kind[OB_SPEC_NAME] * sizeof *r->launches);
    r->blockers = ob_arena_alloc(arena, blockers * sizeof *r->blockers);
    r->step_tokens = ob_alloc(steps * sizeof *r->step_tokens);
}

enum ob_result ob_spec_parse(const char *name, const char *text, size_t size, struct ob_spec **out,
                             struct ob_error *err)
{
    struct ob_spec_reader r = {.name = name, .err = err};
    *out = NULL;
    if (size > OB_SPEC_SIZE_MAX) {
        ob_spec_refuse(&r, (struct ob_place){1, 1}, "split the spec",
                       "the spec has %zu bytes, more than %zu", size, OB_SPEC_SIZE_MAX);
        return OB_INPUT;
    }
    r.spec = ob_alloc(sizeof *r.spec);
    ob_arena_init(&r.spec->arena);
    ob_spec_lex(text, size, &r.spec->arena, &r.tokens);
    make_room(&r);
    bool good = read_spec(&r) && ob_spec_check(&r);
    free(r.tokens.items);
    free(r.step_tokens);
    if (!good) {
        ob_spec_free(r.spec);
        return OB_INPUT;
    }
    *out = r.spec;
    return OB_OK;
}

void ob_spec_free(struct ob_spec *spec)
{
    if (!spec)
        return;
    ob_arena_clear(&spec->arena);
    free(spec);
}
