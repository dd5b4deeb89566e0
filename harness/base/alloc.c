/*
 * alloc.c - see alloc.h.  An arena is a list of blocks in the order of their use: those up to
 * current hold live memory, those after it are spare.  A spare block that is large enough is used
 * before a new one is made, so an arena that is reset between runs stops growing.  Under
 * AddressSanitizer what is not handed out is poisoned: a pointer kept over a reset is caught.
 */
#include "base/alloc.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OB_ARENA_BLOCK_SIZE ((size_t)64 * 1024)
#define OB_GROW_COUNT_MIN ((size_t)8)

struct ob_arena_block {
    struct ob_arena_block *next;
    size_t size;
    alignas(max_align_t) char data[];
};

/* Neither stdio nor exit(): both may want the memory that is not there. */
static _Noreturn void out_of_memory(void)
{
    static const char text[] = "overbook: out of memory\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(3);
}

static size_t product(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory();
    return total;
}

static size_t sum(size_t left, size_t right)
{
    size_t total;
    if (__builtin_add_overflow(left, right, &total))
        out_of_memory();
    return total;
}

void *ob_alloc(size_t size)
{
    void *ptr = calloc(1, size > 0 ? size : 1);
    if (!ptr)
        out_of_memory();
    return ptr;
}

void *ob_realloc(void *ptr, size_t count, size_t size)
{
    size_t total = product(count, size);
    void *moved = realloc(ptr, total > 0 ? total : 1);
    if (!moved)
        out_of_memory();
    return moved;
}

char *ob_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(ob_alloc(size), text, size);
}

char *ob_asprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        out_of_memory();
    return text;
}

void *ob_grow(void *array, size_t *capacity, size_t count, size_t size)
{
    assert(size > 0);
    if (count <= *capacity)
        return array;
    size_t wanted = *capacity > OB_GROW_COUNT_MIN / 2 ? product(*capacity, 2) : OB_GROW_COUNT_MIN;
    if (wanted < count)
        wanted = count;
    char *grown = ob_realloc(array, wanted, size);
    memset(grown + *capacity * size, 0, (wanted - *capacity) * size);
    *capacity = wanted;
    return grown;
}

void ob_arena_init(struct ob_arena *arena)
{
    *arena = (struct ob_arena){0};
}

void ob_arena_reset(struct ob_arena *arena)
{
    for (struct ob_arena_block *block = arena->first; block; block = block->next)
        ASAN_POISON_MEMORY_REGION(block->data, block->size);
    arena->current = arena->first;
    arena->used = 0;
}

void ob_arena_clear(struct ob_arena *arena)
{
    struct ob_arena_block *next;
    for (struct ob_arena_block *block = arena->first; block; block = next) {
        next = block->next;
        free(block);
    }
    ob_arena_init(arena);
}

static struct ob_arena_block *block_new(size_t size)
{
    struct ob_arena_block *block = ob_realloc(NULL, 1, sum(sizeof *block, size));
    block->size = size;
    ASAN_POISON_MEMORY_REGION(block->data, block->size);
    return block;
}

/* Takes the first block of the list at *link that has room for size bytes, or makes one. */
static struct ob_arena_block *block_take(struct ob_arena_block **link, size_t size)
{
    for (; *link; link = &(*link)->next) {
        struct ob_arena_block *block = *link;
        if (block->size >= size) {
            *link = block->next;
            return block;
        }
    }
    return block_new(size > OB_ARENA_BLOCK_SIZE ? size : OB_ARENA_BLOCK_SIZE);
}

/* Makes a block with room for size bytes the current one. */
static void advance(struct ob_arena *arena, size_t size)
{
    struct ob_arena_block **link = arena->current ? &arena->current->next : &arena->first;
    struct ob_arena_block *block = block_take(link, size);
    block->next = *link;
    *link = block;
    arena->current = block;
    arena->used = 0;
}

void *ob_arena_alloc(struct ob_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    size_t rounded = sum(size > 0 ? size : 1, align - 1) / align * align;
    if (!arena->current || arena->current->size - arena->used < rounded)
        advance(arena, rounded);
    char *ptr = arena->current->data + arena->used;
    arena->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(ptr, size);
    return memset(ptr, 0, size);
}

char *ob_arena_strdup(struct ob_arena *arena, const char *text)
{
    return ob_arena_strndup(arena, text, strlen(text));
}

char *ob_arena_strndup(struct ob_arena *arena, const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    return memcpy(ob_arena_alloc(arena, length + 1), text, length);
}

char *ob_arena_printf(struct ob_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    assert(length >= 0);
    size_t size = (size_t)length + 1;
    char *text = ob_arena_alloc(arena, size);
    vsnprintf(text, size, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}
