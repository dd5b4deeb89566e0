/*
 * alloc.h - memory from the heap, and arenas for what lives as long as one run.
 *
 * Running out of memory ends the process with one line on standard error and exit status 3: a
 * harness that cannot record a run has no result to give, and the embedded server is taken down by
 * its keeper whatever happens here.  So these never return NULL, and no caller has an error path
 * that nobody can test.  A count times a size that overflows is the same end.
 */
#ifndef OB_BASE_ALLOC_H
#define OB_BASE_ALLOC_H

#include <stddef.h>

void *ob_alloc(size_t size);                            /* zeroed; size 0 is legal */
void *ob_realloc(void *ptr, size_t count, size_t size); /* count * size, checked for overflow */
char *ob_strdup(const char *text);
char *ob_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Returns array (elements of size bytes, *capacity of them; NULL and 0 to begin with) grown so that
 * count fit: items = ob_grow(items, &capacity, count + 1, sizeof *items).  The new elements are
 * zeroed.  Doubles, so amortised O(1). */
void *ob_grow(void *array, size_t *capacity, size_t count, size_t size);

/* An arena hands out memory that is given back all at once.  One owner thread at a time. */
struct ob_arena_block;
struct ob_arena {
    struct ob_arena_block *first, *current; /* blocks are kept by _reset and used again */
    size_t used;                            /* bytes used of current */
};

void ob_arena_init(struct ob_arena *arena);
void ob_arena_reset(struct ob_arena *arena); /* everything handed out is dead; no block is freed */
void ob_arena_clear(struct ob_arena *arena);
void *ob_arena_alloc(struct ob_arena *arena, size_t size); /* zeroed, aligned for any object */
char *ob_arena_strdup(struct ob_arena *arena, const char *text);
/* At most size bytes of text, and a NUL. */
char *ob_arena_strndup(struct ob_arena *arena, const char *text, size_t size);
char *ob_arena_printf(struct ob_arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
