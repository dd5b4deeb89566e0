#include "pg/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct example {
    const char *text, *shown;
};

static void check(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *shown = ob_pg_redact_url(examples[i].text);
        assert_string_equal(shown, examples[i].shown);
        free(shown);
    }
}

#define CHECK(examples) check(examples, sizeof examples / sizeof *examples)

static void the_password_of_a_url_is_hidden(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"postgres://u:s3cret@h/db", "postgres://u:***@h/db"},
        {"postgresql://u:s3cret@h:5432/db?sslmode=require",
         "postgresql://u:***@h:5432/db?sslmode=require"},
        {"postgresql://u:@h/db", "postgresql://u:***@h/db"},
        {"postgresql://:s3cret@h/db", "postgresql://:***@h/db"},
        {"postgresql://u:s3%40cret@[::1]:5432/db", "postgresql://u:***@[::1]:5432/db"},
        {"postgresql://u:s3cret@h1:1,h2:2/db", "postgresql://u:***@h1:1,h2:2/db"},
        {"postgresql://u:s3cret@/db", "postgresql://u:***@/db"},
        {"POSTGRES://u:s3cret@h", "POSTGRES://u:***@h"},
    };
    CHECK(examples);
}

static void a_password_that_was_not_encoded_is_hidden_as_a_whole(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"postgresql://u:s3@cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:s3/cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:s3?cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:s3:cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:s3 cret@h/db", "postgresql://u:***@h/db"},
        {"postgresql://u:s3#cret@h/db", "postgresql://u:***@h/db"},
    };
    CHECK(examples);
}

static void secrets_in_a_query_are_hidden(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"postgresql://h/db?password=s3cret", "postgresql://h/db?password=***"},
        {"postgresql://h/db?user=u&password=s3cret&sslmode=off",
         "postgresql://h/db?user=u&password=***&sslmode=off"},
        {"postgresql://h/db?sslpassword=s3cret&password=again",
         "postgresql://h/db?sslpassword=***&password=***"},
        {"postgresql://h?pass%77ord=s3cret", "postgresql://h?pass%77ord=***"},
        {"postgresql://h?PassWord=s3cret", "postgresql://h?PassWord=***"},
        {"postgresql://h?password=s3=cret", "postgresql://h?password=***"},
        {"postgresql://h?oauth_client_secret=s3cret", "postgresql://h?oauth_client_secret=***"},
        {"postgresql://u:s3cret@h/db?password=again", "postgresql://u:***@h/db?password=***"},
        {"jdbc:postgresql://h/db?user=u&password=s3cret",
         "jdbc:postgresql://h/db?user=u&password=***"},
    };
    CHECK(examples);
}

static void secrets_in_keyword_form_are_hidden(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"host=h password=s3cret dbname=d", "host=h password=*** dbname=d"},
        {"password=s3cret", "password=***"},
        {"password = 's3 cret' host=h", "password = *** host=h"},
        {"password='s3\\'cret' host=h", "password=*** host=h"},
        {"password='s3\\\\' host=h", "password=*** host=h"},
        {"password=s3\\ cret host=h", "password=*** host=h"},
        {"host=h\tpassword=s3cret\nsslpassword=again", "host=h\tpassword=***\nsslpassword=***"},
        {"host='a b' PASSWORD=s3cret", "host='a b' PASSWORD=***"},
        {"password='s3cret without an end host=h", "password=***"},
        {"password=", "password=***"},
        {"host=password password=s3cret", "host=password password=***"},
        {"host='password=no' password=s3cret", "host='password=no' password=***"},
    };
    CHECK(examples);
}

static void what_holds_no_secret_is_shown_as_it_is(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "mydb",
        "postgresql://",
        "postgresql://localhost:5432/db",
        "postgresql://u@h/db?application_name=x&passfile=/a/b",
        "host=/tmp port=5432 user=u dbname='a b'",
        "host = h   user=u ",
        "no equals sign here",
        "options='-c a=b'",
        "postgresql:///db?host=/tmp&port=5432",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *shown = ob_pg_redact_url(texts[i]);
        assert_string_equal(shown, texts[i]);
        free(shown);
    }
}

static void strings_that_libpq_parses_pass(void **state)
{
    (void)state;
    struct ob_error err = {.code = OB_OK};
    assert_int_equal(ob_pg_url_check("postgresql://u:p@h:5432/db", &err), OB_OK);
    assert_int_equal(ob_pg_url_check("host=h password='a b'", &err), OB_OK);
}

static void the_error_for_a_string_that_does_not_parse_quotes_nothing_of_it(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "host=h password=my s3cret",
        "postgresql://u:s3cret%zz@h/db",
        "postgresql://h/db?password=s3cret&s3cret",
        "postgresql://h/db?s3cret=1",
        "postgresql://u:\"s3\"cret%zz\"@h/db",
        "host=h s3cret",
        "password='s3cret",
        "postgresql://u:s3cret%00@h/db",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ob_error err = {.code = OB_OK};
        assert_int_equal(ob_pg_url_check(texts[i], &err), OB_USAGE);
        assert_null(strstr(err.message, "s3"));
        assert_null(strstr(err.detail, "s3"));
        assert_null(strstr(err.hint, "s3"));
        assert_true(strlen(err.detail) > 10);
        assert_true(strlen(err.hint) > 10);
    }
}

static void a_parameter_that_is_none_is_named_without_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message, *hint;
    } examples[] = {
        {"postgresql:///db?hst=s3cret", "\"hst\"", "Did you mean \"host\"?"},
        {"dbname=db prot=s3cret", "\"prot\"", "Did you mean \"port\"?"},
        {"postgresql:///db?nonsense=s3cret", "\"nonsense\"", "manual"},
        /* What may be a piece of a password is not named. */
        {"postgresql://h/db?b=s3cret@h", "does not parse", ""},
        {"postgresql://h/db?password=a&hst=s3cret", "does not parse", ""},
        {"dbname=db password=a hst=s3cret", "does not parse", ""},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct ob_error err = {.code = OB_OK};
        assert_int_equal(ob_pg_url_check(examples[i].text, &err), OB_USAGE);
        assert_non_null(strstr(err.message, examples[i].message));
        assert_non_null(strstr(err.hint, examples[i].hint));
        assert_null(strstr(err.message, "s3"));
        assert_null(strstr(err.detail, "hst"));
        assert_null(strstr(err.detail, "s3"));
        assert_null(strstr(err.hint, "s3"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_password_of_a_url_is_hidden),
        cmocka_unit_test(a_password_that_was_not_encoded_is_hidden_as_a_whole),
        cmocka_unit_test(secrets_in_a_query_are_hidden),
        cmocka_unit_test(secrets_in_keyword_form_are_hidden),
        cmocka_unit_test(what_holds_no_secret_is_shown_as_it_is),
        cmocka_unit_test(strings_that_libpq_parses_pass),
        cmocka_unit_test(the_error_for_a_string_that_does_not_parse_quotes_nothing_of_it),
        cmocka_unit_test(a_parameter_that_is_none_is_named_without_its_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
