#include "cli/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/ob-tokens-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    memcpy(path, "/tmp/ob-tokens-XXXXXX", sizeof path);
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static enum ob_result read_text(const char *text, struct ob_tokens *out, struct ob_error *err)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return ob_tokens_read(path, out, err);
}

static void a_word_is_one_token(void **state)
{
    (void)state;
    struct ob_tokens tokens;
    struct ob_error err;
    assert_int_equal(ob_tokens_read("ob1AAAA", &tokens, &err), OB_OK);
    assert_int_equal(tokens.count, 1);
    assert_string_equal(tokens.items[0].token, "ob1AAAA");
    ob_tokens_clear(&tokens);
}

static void a_result_gives_each_of_its_tokens_once(void **state)
{
    (void)state;
    struct ob_tokens tokens;
    struct ob_error err;
    static const char result[] =
        "{\"results\": [{\"file\": \"a\", \"violations\": [{\"token\": \"ob1A\", \"invariant\": "
        "\"one\"},"
        " {\"token\": \"ob1A\", \"invariant\": \"two\"},"
        " {\"token\": \"\"}, {}]}, {\"violations\": []}, {\"violations\": [{\"token\": \"ob1B\"}]},"
        " 7]}";
    assert_int_equal(read_text(result, &tokens, &err), OB_OK);
    assert_int_equal(tokens.count, 2);
    assert_string_equal(tokens.items[0].token, "ob1A");
    assert_int_equal(tokens.items[0].broken_count, 2);
    assert_string_equal(tokens.items[0].broken[0], "one");
    assert_string_equal(tokens.items[0].broken[1], "two");
    assert_string_equal(tokens.items[1].token, "ob1B");
    assert_int_equal(tokens.items[1].broken_count, 0);
    assert_int_equal(tokens.file_count, 1);
    assert_string_equal(tokens.files[0], "a");
    ob_tokens_clear(&tokens);
}

static void what_holds_no_token_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } files[] = {
        {"{\"results\": [{\"violations\": []}]}", "holds no token", "nothing to replay"},
        {"{}", "holds no token", "Name a result"},
        {"[]", "holds no token", "Name a result"},
        {"{\"results\": 1}", "holds no token", "Name a result"},
        {"{\"results\": [", ":1:13: ", "Name a token"},
        {"caf\xe9", ":1:", "Name a token"},
        {"", ":1:0: ", "Name a token"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ob_tokens tokens;
        struct ob_error err;
        assert_int_equal(read_text(files[i].text, &tokens, &err), OB_INPUT);
        assert_non_null(strstr(err.message, files[i].message));
        assert_non_null(strstr(err.hint, files[i].hint));
        ob_tokens_clear(&tokens);
    }
}

static void what_is_neither_a_token_nor_a_file_says_so(void **state)
{
    (void)state;
    struct ob_tokens tokens;
    struct ob_error err;
    assert_int_equal(ob_tokens_read("no/such/file.json", &tokens, &err), OB_INPUT);
    assert_string_equal(err.message, "\"no/such/file.json\" is neither a token nor a file");
    ob_tokens_clear(&tokens);
    assert_int_equal(ob_tokens_read("/", &tokens, &err), OB_INPUT);
    ob_tokens_clear(&tokens);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_one_token),
        WITH_FILE(a_result_gives_each_of_its_tokens_once),
        WITH_FILE(what_holds_no_token_is_refused_with_the_reason),
        cmocka_unit_test(what_is_neither_a_token_nor_a_file_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
