/*
 * tree.h - a YAML text as a tree of nodes that know their places.
 *
 * Only what a scenario needs of YAML: one document of mappings, lists and scalars.  Anchors,
 * aliases and tags are refused (a file should say what it says where it says it), and so are
 * duplicate keys, keys that are not scalars, NULs, and whatever goes over a limit.
 */
#ifndef OB_SCENARIO_TREE_H
#define OB_SCENARIO_TREE_H

#include "base/alloc.h"
#include "base/error.h"
#include "scenario/scenario.h"

#include <stdbool.h>
#include <stddef.h>

#define OB_TREE_DEPTH_MAX 16                /* lists and mappings within each other */
#define OB_TREE_CHILDREN_MAX ((size_t)1000) /* of one list or mapping */
#define OB_QUOTE_SIZE_MAX 60

enum ob_node_kind { OB_NODE_SCALAR, OB_NODE_LIST, OB_NODE_MAP };

struct ob_node {
    enum ob_node_kind kind;
    struct ob_place place;
    const char *key; /* in a mapping; NULL in a list and at the root */
    struct ob_place key_place;
    const char *text; /* scalar: the value, never NULL */
    bool plain;       /* scalar: written without quotes and not as a block */
    const struct ob_node *first,
        *next;    /* children in their order; the next child of the same parent */
    size_t count; /* children */
};

/* Parses the text; the nodes live in arena.  OB_INPUT: message "FILE:LINE:COLUMN: what". */
OB_MUSTCHECK enum ob_result ob_tree_parse(const char *file, const char *data, size_t size,
                                          struct ob_arena *arena, const struct ob_node **out,
                                          struct ob_error *err);

/* The value of that key of a mapping, or NULL. */
const struct ob_node *ob_tree_get(const struct ob_node *map, const char *key);

/* A plain scalar that stands for nothing: "key:", "key: ~" or "key: null". */
bool ob_tree_is_null(const struct ob_node *node);

/* A text of the file as messages show it: in quotes, on one line, cut after OB_QUOTE_SIZE_MAX
 * bytes. */
const char *ob_tree_quote(struct ob_arena *arena, const char *text);

#endif
