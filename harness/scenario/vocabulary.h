/*
 * vocabulary.h - every word that a scenario file may use.
 *
 * These tables drive the loader, the suggestions in its errors and the JSON Schema, and a test
 * holds docs/scenario-format.md to them.  So a key is added in one place.  All tables end with a
 * row whose name is NULL.
 */
#ifndef OB_SCENARIO_VOCABULARY_H
#define OB_SCENARIO_VOCABULARY_H

#include "scenario/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ob_key_type {
    OB_KEY_TEXT,
    OB_KEY_NAME,
    OB_KEY_CURRENCY,
    OB_KEY_WORD,   /* one of words */
    OB_KEY_NUMBER, /* whole, min … max */
    OB_KEY_BOOLEAN,
    OB_KEY_TIME,
    OB_KEY_DURATION, /* at most OB_DURATION_MAX_US */
    OB_KEY_SECONDS,  /* a duration without a part of a second */
    OB_KEY_RANGE,    /* of time */
    OB_KEY_STRATEGY, /* one of words, perhaps numbered */
    OB_KEY_PARTY,    /* a client's name, or one that "given" has used */
    OB_KEY_OTHER,    /* a list, a mapping or a mixture, which has a reader of its own */
    OB_KEY_TYPE_COUNT
};

/* A clock that goes forward by this in each of the most actions that a file can hold stays within
 * an int64_t. */
#define OB_DURATION_MAX_US ((int64_t)366 * 24 * 3600 * 1000000)

struct ob_key_type_info {
    enum ob_value_kind kind; /* of the setting that comes of it */
    const char *expected;    /* "a time", for messages */
    const char *example;
    const char *pattern; /* an ECMAScript regular expression, or NULL */
};

extern const struct ob_key_type_info ob_key_types[OB_KEY_TYPE_COUNT];

#define OB_FOR_REFERENCE (1U << OB_TARGET_REFERENCE)
#define OB_FOR_SQL (1U << OB_TARGET_SQL)
#define OB_FOR_SPEC (1U << OB_TARGET_SPEC)

struct ob_key {
    const char *name;
    enum ob_key_type type;
    unsigned targets; /* OB_FOR_… bits; 0 for every target */
    bool required;
    const char *const *words; /* ends with NULL */
    int64_t min, max;
    const char
        *fallback;     /* the value where the file gives none, as one would write it; NULL: none */
    const char *about; /* a sentence for users */
};

/* The keys of one kind of mapping. */
struct ob_key_set {
    const char *name; /* "client", for messages */
    const struct ob_key *keys;
};

extern const struct ob_key_set ob_scenario_keys, ob_variant_keys, ob_given_keys, ob_client_keys,
    ob_step_keys, ob_touches_keys, ob_faults_keys, ob_explore_keys, ob_invariant_keys,
    ob_sometimes_keys, ob_expectation_keys;

/* What a client of the reference target can do.  The sql target's steps share "clock". */
struct ob_verb {
    struct ob_key_set set;
    const char *about;
    bool one_of;  /* exactly one of its keys must be given */
    bool nobodys; /* needs no party: in "given" it may come without "as" */
};

extern const struct ob_verb ob_verbs[];

struct ob_word {
    const char *name;
    unsigned targets; /* OB_FOR_… bits; 0 for every target */
    const char *about;
};

extern const struct ob_word ob_fault_words[];
extern const struct ob_word ob_invariant_words[]; /* those built in */
extern const struct ob_word ob_sometimes_words[]; /* those built in */

extern const char *const ob_strategy_words[];

/* A strategy behind which a number may stand, "pct:3", and which. */
struct ob_numbered_word {
    const char *name;
    int64_t min, max;
};

extern const struct ob_numbered_word ob_numbered_strategies[];

/* In the order of their enums. */
extern const char *const ob_target_words[], *const ob_isolation_words[], *const ob_path_words[];

/* The variables that every client of the sql target has. */
extern const char *const ob_variable_words[];

/* Whether the key, or the word, is for that target. */
bool ob_key_is_for(unsigned targets, enum ob_target_kind target);

/* The row of that name, or NULL. */
const struct ob_key *ob_key_find(const struct ob_key_set *set, const char *name);
const struct ob_verb *ob_verb_find(const char *name);
const struct ob_word *ob_word_find(const struct ob_word *words, const char *name);

#endif
