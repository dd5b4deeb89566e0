#include "scenario/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "scenario_support.h"

static const struct ob_node *parsed(const char *text)
{
    struct ob_error err;
    const struct ob_node *root;
    assert_int_equal(ob_tree_parse("x.yaml", text, strlen(text), &test_arena, &root, &err), OB_OK);
    return root;
}

static void assert_refused(const char *data, size_t size, const char *message)
{
    struct ob_error err;
    const struct ob_node *root = NULL;
    assert_int_equal(ob_tree_parse("x.yaml", data, size, &test_arena, &root, &err), OB_INPUT);
    assert_string_equal(err.message, message);
    assert_string_not_equal(err.hint, "");
    assert_null(root);
}

static void assert_place(struct ob_place place, int line, int column)
{
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void a_mapping_keeps_order_and_places(void **state)
{
    (void)state;
    const struct ob_node *root = parsed("b: 1\na:\n  - x\n  - {c: y}\n");
    assert_int_equal(root->kind, OB_NODE_MAP);
    assert_int_equal(root->count, 2);
    assert_string_equal(root->first->key, "b");
    assert_string_equal(root->first->text, "1");
    assert_place(root->first->key_place, 1, 1);
    assert_place(root->first->place, 1, 4);
    const struct ob_node *list = root->first->next;
    assert_ptr_equal(list, ob_tree_get(root, "a"));
    assert_int_equal(list->kind, OB_NODE_LIST);
    assert_int_equal(list->count, 2);
    assert_null(list->first->key);
    assert_place(list->first->place, 3, 5);
    assert_place(ob_tree_get(list->first->next, "c")->place, 4, 9);
    assert_null(list->first->next->next);
    assert_null(ob_tree_get(root, "c"));
}

static void columns_count_characters_and_not_bytes(void **state)
{
    (void)state;
    assert_place(parsed("{\"\xc3\xa4\xe2\x82\xac\": x}")->first->place, 1, 8);
}

static void quotes_make_a_text_of_what_stands_for_nothing(void **state)
{
    (void)state;
    const bool null[] = {true, true, true, false, false, false};
    size_t i = 0;
    const struct ob_node *root = parsed("{a: , b: ~, c: null, d: '', e: \"null\", f: nil}");
    for (const struct ob_node *node = root->first; node; node = node->next)
        assert_int_equal(ob_tree_is_null(node), null[i++]);
    assert_int_equal(i, 6);
    assert_false(ob_tree_is_null(root));
    assert_false(ob_tree_get(root, "e")->plain);
    assert_true(ob_tree_get(root, "f")->plain);
}

static void what_is_not_utf8_is_refused_where_it_begins(void **state)
{
    (void)state;
    static const char bad[] = "name: \xc3\xa4\nabout: \xff\n";
    assert_refused(bad, sizeof bad - 1, "x.yaml:2:8: not UTF-8");
    static const char utf16[] = "\xff\xfen\0a\0";
    assert_refused(utf16, sizeof utf16 - 1, "x.yaml:1:1: not UTF-8");
}

static void a_nul_is_refused(void **state)
{
    (void)state;
    static const char nul[] = "name: x\n\0more";
    assert_refused(nul, sizeof nul - 1, "x.yaml:2:1: contains a NUL byte");
}

static void a_file_may_be_as_large_as_the_limit(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, OB_SCENARIO_SIZE_MAX + 1);
    ob_buf_puts(&text, "a: b #");
    while (text.size < OB_SCENARIO_SIZE_MAX)
        ob_buf_putc(&text, 'x');
    assert_string_equal(ob_tree_get(parsed(text.data), "a")->text, "b");
    ob_buf_putc(&text, 'x');
    assert_refused(text.data, text.size, "x.yaml:1:1: larger than 1048576 bytes");
    ob_buf_clear(&text);
}

static void nesting_ends_at_the_limit(void **state)
{
    (void)state;
    assert_int_equal(parsed("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")->count, 1);
    static const char deep[] = "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]";
    assert_refused(deep, sizeof deep - 1,
                   "x.yaml:1:17: more than 16 lists and mappings within each other");
}

/* However deep: what is refused must not have been read to its end. */
static void a_million_brackets_are_refused_at_once(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, OB_SCENARIO_SIZE_MAX);
    while (text.size < OB_SCENARIO_SIZE_MAX)
        ob_buf_putc(&text, '[');
    assert_refused(text.data, text.size,
                   "x.yaml:1:17: more than 16 lists and mappings within each other");
    ob_buf_clear(&text);
}

static void a_list_ends_at_the_limit(void **state)
{
    (void)state;
    struct ob_buf text;
    ob_buf_init(&text, 8192);
    for (size_t i = 0; i < OB_TREE_CHILDREN_MAX; i++)
        ob_buf_puts(&text, "- a\n");
    assert_int_equal(parsed(text.data)->count, OB_TREE_CHILDREN_MAX);
    ob_buf_puts(&text, "- a\n");
    assert_refused(text.data, text.size, "x.yaml:1001:3: more than 1000 entries");
    ob_buf_clear(&text);
}

static void a_quoted_text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(ob_tree_quote(&test_arena, "a\tb\n\x7f"), "\"a b  \"");
    char text[64] = {0};
    memset(text, 'x', OB_QUOTE_SIZE_MAX);
    const char *whole = ob_tree_quote(&test_arena, text);
    assert_int_equal(strlen(whole), OB_QUOTE_SIZE_MAX + 2);
    strncpy(text + OB_QUOTE_SIZE_MAX - 1, "\xe2\x82\xac", 4);
    const char *cut = ob_tree_quote(&test_arena, text);
    assert_int_equal(strlen(cut), OB_QUOTE_SIZE_MAX - 1 + strlen("\"…\""));
    assert_string_equal(cut + strlen(cut) - 5, "x…\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_keeps_order_and_places),
        cmocka_unit_test(columns_count_characters_and_not_bytes),
        cmocka_unit_test(quotes_make_a_text_of_what_stands_for_nothing),
        cmocka_unit_test(what_is_not_utf8_is_refused_where_it_begins),
        cmocka_unit_test(a_nul_is_refused),
        cmocka_unit_test(a_file_may_be_as_large_as_the_limit),
        cmocka_unit_test(nesting_ends_at_the_limit),
        cmocka_unit_test(a_million_brackets_are_refused_at_once),
        cmocka_unit_test(a_list_ends_at_the_limit),
        cmocka_unit_test(a_quoted_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
