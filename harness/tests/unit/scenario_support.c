/* scenario_support.c - see scenario_support.h. */
#include "scenario_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#define FILE_SIZE_MAX ((size_t)1 << 20)

struct ob_buf read_file(const char *path)
{
    struct ob_buf data;
    char chunk[4096];
    size_t size;
    FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("could not open %s: run this from the project's root", path);
    ob_buf_init(&data, FILE_SIZE_MAX);
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        ob_buf_add(&data, chunk, size);
    fclose(file);
    assert_false(ob_buf_failed(&data));
    return data;
}

struct ob_arena test_arena;

int open_arena(void **state)
{
    (void)state;
    ob_arena_init(&test_arena);
    return 0;
}

int close_arena(void **state)
{
    (void)state;
    ob_arena_clear(&test_arena);
    return 0;
}
