/*
 * footprint.h - what an operation touches, as far as the server told.
 *
 * A resource is anything with a name: a relation, a key in it, all advisory locks.  Two operations
 * that touch nothing in common, or only in ways that do not matter to each other, can be made in
 * either order (explore/conflict.h).
 */
#ifndef OB_ENGINE_FOOTPRINT_H
#define OB_ENGINE_FOOTPRINT_H

#include "base/alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ways to touch a resource; bits. */
#define OB_TOUCH_READ 1u /* as a snapshot shows it */
#define OB_TOUCH_SHARE \
    2u /* locked against changes: FOR SHARE, FOR KEY SHARE, a foreign key's check */
#define OB_TOUCH_WRITE 4u /* written, locked for it, or a unique key looked up */
#define OB_TOUCH_ADD 8u   /* something in it is: only who reads it as a whole can tell */
#define OB_TOUCH_NOW 16u  /* read or changed outside of transactions: sequences, advisory locks */

/* Ways shifted left by this are those in which something within the resource is touched, a key of
 * a relation: two keys have nothing to do with each other, and each with the whole. */
#define OB_TOUCH_WITHIN 8

struct ob_touch {
    uint64_t resource; /* ob_resource */
    unsigned ways;
};

enum ob_level {
    OB_LEVEL_STATEMENT,    /* each statement has a snapshot of its own: READ COMMITTED */
    OB_LEVEL_TRANSACTION,  /* the transaction's first statement takes it: REPEATABLE READ */
    OB_LEVEL_SERIALIZABLE, /* so, and what others read and write can make it fail */
};

struct ob_footprint {
    bool known; /* false: it may touch anything, and the rest says nothing */
    enum ob_level level;
    struct ob_touch *touches; /* count of them, each resource once, in ascending order */
    size_t count, capacity;
};

uint64_t ob_resource(const char *name);

/* Adds ways of touching a resource.  The touches are grown in place, and the footprint's own. */
void ob_footprint_add(struct ob_footprint *footprint, uint64_t resource, unsigned ways);
/* Touches a key in a relation, which touches the relation too, within. */
void ob_footprint_add_key(struct ob_footprint *footprint, const char *relation, const char *key,
                          unsigned ways);
void ob_footprint_join(struct ob_footprint *footprint, const struct ob_footprint *other);
void ob_footprint_reset(struct ob_footprint *footprint); /* known, nothing touched; memory kept */
void ob_footprint_clear(struct ob_footprint *footprint);

/* A copy in the arena, never to be cleared or added to. */
struct ob_footprint ob_footprint_copy(struct ob_arena *arena, const struct ob_footprint *from);

#endif
