/*
 * load_int.h - what the parts of the loader share: scenario.c (the file as a whole), reference.c
 * (actions), sql.c (steps) and load.c (keys, values, words, refusals).
 *
 * Every function that returns a bool returns false after having filled load->err, and its callers
 * then return false too: the first thing that is wrong is the one that is told.
 */
#ifndef OB_SCENARIO_LOAD_INT_H
#define OB_SCENARIO_LOAD_INT_H

#include "base/buf.h"
#include "scenario/scenario.h"
#include "scenario/tree.h"
#include "scenario/vocabulary.h"

#define OB_LOAD_GUESTS_MAX ((size_t)64)
#define OB_LOAD_PARTIES_MAX (OB_SCENARIO_CLIENTS_MAX + OB_LOAD_GUESTS_MAX)

struct ob_load {
    struct ob_scenario *scenario; /* being filled; everything lives in its arena */
    struct ob_error *err;
    const char *parties[OB_LOAD_PARTIES_MAX]; /* the clients, then the guests met so far */
    size_t party_count;
    struct ob_buf spec_text;
    size_t self; /* the party whose actions are read: whom "of" means by default */
};

#define OB_LOAD_NOBODY SIZE_MAX

struct ob_settings {
    struct ob_setting *items;
    size_t count;
};

/* Refuses the file: "FILE:LINE:COLUMN: …", with the cure.  Always false. */
bool ob_load_refuse(struct ob_load *load, struct ob_place place, const char *hint, const char *fmt,
                    ...) OB_PRINTF(4, 5);

/* The words that there are in one place of the file. */
struct ob_choice {
    const char *what;         /* "key", for messages */
    const char *const *words; /* ends with NULL */
    const char *cure;         /* when none is near to what the file says */
};

/* Refuses a word that is none of the choice, naming them and the nearest.  Always false. */
bool ob_load_refuse_unknown(struct ob_load *load, struct ob_place place, const char *text,
                            const struct ob_choice *choice);

/* In quotes, for messages. */
const char *ob_load_quote(struct ob_load *load, const char *text);

/* Whether the node is of that kind; a list or mapping must not be empty. */
bool ob_load_expect(struct ob_load *load, const struct ob_node *node, enum ob_node_kind kind,
                    const char *what);

/* Whether node is a mapping with no keys but those of set and more (which may be NULL) for this
 * target, and with all that are required. */
bool ob_load_keys(struct ob_load *load, const struct ob_node *node, const struct ob_key_set *set,
                  const struct ob_key_set *more);

/* The settings of the set's keys, in its order: as written in map (NULL: nothing is), or the
 * default.  Keys of type OB_KEY_OTHER are left to their readers.  Defaults have the given place. */
bool ob_load_settings(struct ob_load *load, const struct ob_key_set *set, const struct ob_node *map,
                      struct ob_place place, struct ob_settings *out);

/* The text of a scalar that is not null; what is its name in messages. */
bool ob_load_text(struct ob_load *load, const struct ob_node *node, const char *what,
                  const char **out);

/* Whether the text is a kebab-case name. */
bool ob_load_name(struct ob_load *load, const struct ob_node *node, const char *what,
                  const char **out);

/* The variants that "only" selects: all when map has no such key. */
bool ob_load_only(struct ob_load *load, const struct ob_node *map, uint64_t *out);

/* The set of all variants. */
uint64_t ob_load_all_variants(const struct ob_load *load);

/* The index of a variant's name. */
bool ob_load_variant(struct ob_load *load, const char *name, struct ob_place place, size_t *out);

/* The names of the rows that are for this target; in the arena, ends with NULL. */
const char *const *ob_load_words(struct ob_load *load, const struct ob_word *words);

/* Fills one scalar value's setting; value.c. */
bool ob_load_value(struct ob_load *load, const struct ob_key *key, const struct ob_node *node,
                   struct ob_setting *out);

/* reference.c: what clients do.  An entry is a client or one of "given": its keys are the set's,
 * and the verb's when "does" names one. */
bool ob_load_entry_keys(struct ob_load *load, const struct ob_node *entry,
                        const struct ob_key_set *set);
/* The verb with the keys of map. */
bool ob_load_action(struct ob_load *load, const char *verb, const struct ob_node *map,
                    struct ob_action *out);
/* The clients' names are known by then. */
bool ob_load_given(struct ob_load *load, const struct ob_node *list);
bool ob_load_client_actions(struct ob_load *load, const struct ob_node *node,
                            struct ob_scenario_client *client);
/* Whether everybody whom an action is about holds a slot at all. */
bool ob_load_check_holds(struct ob_load *load);

/* invariants.c.  named: the file names its variants, and expects something of each. */
bool ob_load_invariants(struct ob_load *load, const struct ob_node *list);
bool ob_load_sometimes(struct ob_load *load, const struct ob_node *list); /* NULL: none */
bool ob_load_expectations(struct ob_load *load, const struct ob_node *node,
                          struct ob_variant *variants, bool named);

/* race_spec.c: clients, and the spec itself, from the file that the node names beside the
 * scenario's.  Its text is added to load->spec_text. */
bool ob_load_spec(struct ob_load *load, const struct ob_node *node);
/* The same from a path. */
bool ob_load_spec_file(struct ob_load *load, const char *path, struct ob_place place);

/* What a scenario is read from: a text, whose tree may be made another one before it is read. */
struct ob_load_source {
    const char *file, *data;
    size_t size;
    bool (*expand)(void *arg, struct ob_load *load, const struct ob_node **root); /* or NULL */
    void *arg;
};

/* scenario.c */
OB_MUSTCHECK enum ob_result ob_load_parse(const struct ob_load_source *source,
                                          struct ob_scenario **out, struct ob_error *err);

/* A buffer for the text of a file. */
#define OB_LOAD_CHUNK_SIZE ((size_t)16 * 1024)
#define OB_LOAD_BUF_MAX (OB_SCENARIO_SIZE_MAX + OB_LOAD_CHUNK_SIZE)

/* The whole file, or as much of it as shows that it is too large. */
OB_MUSTCHECK enum ob_result ob_load_read(const char *path, struct ob_buf *out,
                                         struct ob_error *err);

/* touches.c: what a statement is declared to touch; map may be NULL. */
bool ob_load_touches(struct ob_load *load, const struct ob_node *map, struct ob_sql_step *step);

/* sql.c: what clients send. */
bool ob_load_client_steps(struct ob_load *load, const struct ob_node *node,
                          struct ob_scenario_client *client);

#endif
