/*
 * spec_int.h - what the parts of the spec's reader share: spec_lex.c (tokens), spec_parse.c (the
 * grammar), spec_check.c (what the names refer to) and spec_orders.c (what the file leaves open).
 *
 * The text is cut into tokens first, so that what has to be stored is counted before it is stored.
 * The first wrong thing in the order of the file is told, be it a character or a word that the
 * grammar does not want: a bad token is the last one, and is told by whoever comes to it.
 *
 * Every function that returns a bool returns false after having filled the reader's err.
 */
#ifndef OB_SCENARIO_SPEC_INT_H
#define OB_SCENARIO_SPEC_INT_H

#include "scenario/scenario.h"
#include "scenario/spec.h"

#define OB_SPEC_SIZE_MAX ((size_t)1 << 20)
#define OB_SPEC_SESSIONS_MAX ((size_t)64)

enum ob_spec_token_kind {
    OB_SPEC_END, /* of the text */
    OB_SPEC_BAD, /* what is no token; text is the message, hint the cure */
    OB_SPEC_NAME,
    OB_SPEC_SQL,
    OB_SPEC_NUMBER,
    OB_SPEC_OPEN,
    OB_SPEC_CLOSE,
    OB_SPEC_COMMA,
    OB_SPEC_STAR,
    OB_SPEC_KEY_NOTICES,
    OB_SPEC_KEY_PERMUTATION,
    OB_SPEC_KEY_SESSION,
    OB_SPEC_KEY_SETUP,
    OB_SPEC_KEY_STEP,
    OB_SPEC_KEY_TEARDOWN,
    OB_SPEC_TOKEN_KINDS
};

struct ob_spec_token {
    enum ob_spec_token_kind kind;
    struct ob_place place;
    int end_line;     /* that of its last character: the line that the peer's messages name */
    const char *text; /* NAME, SQL: the value; BAD; otherwise NULL */
    const char *hint; /* BAD */
    unsigned number;  /* NUMBER */
};

struct ob_spec_tokens {
    struct ob_spec_token *items; /* the last is END or BAD */
    size_t count, capacity;
    size_t of_kind[OB_SPEC_TOKEN_KINDS]; /* how many there are of each */
};

/* Texts live in arena; the items are the caller's to free. */
void ob_spec_lex(const char *text, size_t size, struct ob_arena *arena, struct ob_spec_tokens *out);

struct ob_spec_reader {
    const char *name;     /* the file's, for errors */
    struct ob_spec *spec; /* being filled */
    struct ob_error *err;
    struct ob_spec_tokens tokens;
    size_t at; /* the next token */
    /* What permutations consist of, one after the other.  Until their names are looked up, step is
     * the index of the token that names it. */
    struct ob_spec_launch *launches;
    struct ob_spec_blocker *blockers;
    size_t launch_count, blocker_count;
    size_t *step_tokens; /* where each step's name stands */
};

/* Refuses the file at that place.  Always false. */
bool ob_spec_refuse(struct ob_spec_reader *r, struct ob_place place, const char *hint,
                    const char *fmt, ...) OB_PRINTF(4, 5);

/* Looks up every name: no step is there twice, and permutations name what there is. */
bool ob_spec_check(struct ob_spec_reader *r);

#endif
