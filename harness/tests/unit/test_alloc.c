#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_zero(const void *data, size_t size)
{
    const char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* Takes one way out in a child; returns its wait status and what it wrote to standard error. */
static int death_of(void (*way)(void), char *text, size_t size)
{
    int fds[2], status;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(fds[1], STDERR_FILENO);
        way();
        _exit(0);
    }
    assert_true(child > 0);
    close(fds[1]);
    size_t used = 0;
    ssize_t count;
    while (used < size - 1 && (count = read(fds[0], text + used, size - 1 - used)) > 0)
        used += (size_t)count;
    text[used] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void multiply_past_the_end(void)
{
    free(ob_realloc(NULL, SIZE_MAX / 2, 3));
}

static void ask_for_too_much(void)
{
    free(ob_alloc(SIZE_MAX / 4));
}

static void grow_past_the_end(void)
{
    size_t capacity = 0;
    free(ob_grow(NULL, &capacity, SIZE_MAX / 2, 8));
}

static void ask_an_arena_for_everything(void)
{
    struct ob_arena arena;
    ob_arena_init(&arena);
    (void)ob_arena_alloc(&arena, SIZE_MAX - 4);
}

static void memory_that_is_not_there_ends_the_process_with_status_3(void **state)
{
    (void)state;
    void (*const ways[])(void) = {multiply_past_the_end, grow_past_the_end,
                                  ask_an_arena_for_everything, ask_for_too_much};
    size_t count = sizeof ways / sizeof *ways;
#ifdef __SANITIZE_ADDRESS__
    count--; /* AddressSanitizer's allocator ends the process itself when asked for too much. */
#endif
#ifdef __SANITIZE_THREAD__
    count--; /* So does ThreadSanitizer's. */
#endif
    for (size_t i = 0; i < count; i++) {
        char text[100];
        int status = death_of(ways[i], text, sizeof text);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_string_equal(text, "overbook: out of memory\n");
    }
}

static void memory_from_the_heap_is_zeroed_and_none_is_legal(void **state)
{
    (void)state;
    char *some = ob_alloc(100);
    assert_true(is_zero(some, 100));
    free(some);
    void *none = ob_alloc(0);
    assert_non_null(none);
    none = ob_realloc(none, 0, 8);
    assert_non_null(none);
    free(none);
}

static void reallocated_memory_keeps_its_contents(void **state)
{
    (void)state;
    char *text = ob_strdup("kept");
    text = ob_realloc(text, 1000, 8);
    assert_string_equal(text, "kept");
    free(text);
    text = ob_asprintf("%s-%d", "made", 7);
    assert_string_equal(text, "made-7");
    free(text);
}

static void a_growing_array_doubles_keeps_its_elements_and_zeroes_new_ones(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0, moves = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        items = ob_grow(items, &capacity, (size_t)i + 1, sizeof *items);
        assert_true(capacity > (size_t)i);
        assert_true(is_zero(items + i, (capacity - (size_t)i) * sizeof *items));
        moves += capacity != before;
        items[i] = i + 1;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i + 1);
    assert_true(moves <= 10);
    int *same = ob_grow(items, &capacity, 10, sizeof *items);
    assert_ptr_equal(same, items);
    items = ob_grow(items, &capacity, 5000, sizeof *items);
    assert_int_equal(capacity, 5000);
    free(items);
}

static void arena_memory_is_zeroed_aligned_and_never_shared(void **state)
{
    (void)state;
    struct ob_arena arena;
    ob_arena_init(&arena);
    char *parts[400];
    for (size_t i = 0; i < 400; i++) {
        parts[i] = ob_arena_alloc(&arena, i);
        assert_int_equal((uintptr_t)parts[i] % alignof(max_align_t), 0);
        assert_true(is_zero(parts[i], i));
        memset(parts[i], (int)i, i);
    }
    for (size_t i = 0; i < 400; i++) {
        for (size_t j = 0; j < i; j++)
            assert_int_equal((unsigned char)parts[i][j], i & 0xff);
    }
    ob_arena_clear(&arena);
    assert_null(arena.first);
}

static void a_reset_arena_hands_out_the_same_memory_zeroed_again(void **state)
{
    (void)state;
    struct ob_arena arena;
    ob_arena_init(&arena);
    ob_arena_reset(&arena);
    char *first = ob_arena_alloc(&arena, 1000);
    char *large = ob_arena_alloc(&arena, 300000);
    memset(first, 1, 1000);
    memset(large, 1, 300000);
    ob_arena_reset(&arena);
    assert_ptr_equal(ob_arena_alloc(&arena, 1000), first);
    assert_ptr_equal(ob_arena_alloc(&arena, 300000), large);
    assert_true(is_zero(first, 1000));
    assert_true(is_zero(large, 300000));
    ob_arena_clear(&arena);
}

static void a_spare_block_that_fits_is_used_wherever_it_stands(void **state)
{
    (void)state;
    struct ob_arena arena;
    ob_arena_init(&arena);
    char *small = ob_arena_alloc(&arena, 60000);
    char *middle = ob_arena_alloc(&arena, 200000);
    char *large = ob_arena_alloc(&arena, 300000);
    ob_arena_reset(&arena);
    assert_ptr_equal(ob_arena_alloc(&arena, 60000), small);
    assert_ptr_equal(ob_arena_alloc(&arena, 300000), large);
    assert_ptr_equal(ob_arena_alloc(&arena, 200000), middle);
    ob_arena_clear(&arena);
}

static void arena_texts_are_copies(void **state)
{
    (void)state;
    struct ob_arena arena;
    ob_arena_init(&arena);
    char source[] = "source";
    char *copy = ob_arena_strdup(&arena, source);
    char *part = ob_arena_strndup(&arena, source, 3);
    char *whole = ob_arena_strndup(&arena, source, 100);
    char *made = ob_arena_printf(&arena, "%s %d", source, 42);
    source[0] = '!';
    assert_string_equal(copy, "source");
    assert_string_equal(part, "sou");
    assert_string_equal(whole, "source");
    assert_string_equal(made, "source 42");
    char *nothing = ob_arena_printf(&arena, "%s", "");
    assert_string_equal(nothing, "");
    ob_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_not_there_ends_the_process_with_status_3),
        cmocka_unit_test(memory_from_the_heap_is_zeroed_and_none_is_legal),
        cmocka_unit_test(reallocated_memory_keeps_its_contents),
        cmocka_unit_test(a_growing_array_doubles_keeps_its_elements_and_zeroes_new_ones),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_never_shared),
        cmocka_unit_test(a_reset_arena_hands_out_the_same_memory_zeroed_again),
        cmocka_unit_test(a_spare_block_that_fits_is_used_wherever_it_stands),
        cmocka_unit_test(arena_texts_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
