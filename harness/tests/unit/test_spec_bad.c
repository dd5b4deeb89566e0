/*
 * Every case of spec_bad.txt is refused at its place, with the message of PostgreSQL's own tool and
 * with its cure.  Each is a test of its own, and a new one needs no C.
 */
#include "scenario/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define CASES_FILE "harness/tests/unit/spec_bad.txt"
#define CASES_MAX 1000
#define TEXT_SIZE_MAX ((size_t)1 << 20)

struct bad_case {
    char *title, *spec, *message, *place, *hint;
};

static struct bad_case cases[CASES_MAX];
static size_t case_count;

static void file_is_refused_as_told(void **state)
{
    const struct bad_case *bad = *state;
    struct ob_error err;
    struct ob_spec *spec = NULL;
    /* On the heap and without the NUL, so that reading past it is seen. */
    size_t size = strlen(bad->spec);
    char *text = memcpy(ob_alloc(size), bad->spec, size);
    assert_int_equal(ob_spec_parse("x.spec", text, size, &spec, &err), OB_INPUT);
    free(text);
    assert_null(spec);
    assert_int_equal(err.code, OB_INPUT);
    assert_string_equal(err.message, bad->message);
    assert_int_equal(strncmp(err.detail, "x.spec:", 7), 0);
    assert_string_equal(err.detail + 7, bad->place);
    assert_string_equal(err.hint, bad->hint);
}

static char *without_newline(const char *line)
{
    char *copy = ob_strdup(line);
    copy[strcspn(copy, "\n")] = '\0';
    return copy;
}

/* Reads one line into the case that is open; true when the case is complete. */
static bool read_line(struct bad_case *bad, struct ob_buf *spec, const char *line)
{
    if (strncmp(line, "== ", 3) == 0) {
        bad->title = without_newline(line + 3);
    } else if (strncmp(line, "-- ", 3) != 0) {
        ob_buf_puts(spec, bad->title ? line : "");
    } else if (!bad->message) {
        bad->message = without_newline(line + 3);
    } else if (!bad->place) {
        bad->place = without_newline(line + 3);
    } else {
        bad->hint = without_newline(line + 3);
        bad->spec = ob_strdup(spec->data ? spec->data : "");
        ob_buf_reset(spec);
    }
    return bad->hint != NULL;
}

static void read_cases(FILE *file)
{
    char *line = NULL;
    size_t size = 0;
    struct ob_buf spec;
    ob_buf_init(&spec, TEXT_SIZE_MAX);
    while (getline(&line, &size, file) > 0 && case_count < CASES_MAX)
        case_count += read_line(&cases[case_count], &spec, line);
    free(line);
    ob_buf_clear(&spec);
}

int main(void)
{
    struct CMUnitTest tests[CASES_MAX];
    FILE *file = fopen(CASES_FILE, "re");
    if (!file) {
        fprintf(stderr, "could not open %s: run this from the project's root\n", CASES_FILE);
        return 1;
    }
    read_cases(file);
    fclose(file);
    for (size_t i = 0; i < case_count; i++)
        tests[i] = (struct CMUnitTest){.name = cases[i].title,
                                       .test_func = file_is_refused_as_told,
                                       .initial_state = &cases[i]};
    int failed = _cmocka_run_group_tests("bad specs", tests, case_count, NULL, NULL);
    for (size_t i = 0; i < case_count; i++) {
        free(cases[i].title);
        free(cases[i].spec);
        free(cases[i].message);
        free(cases[i].place);
        free(cases[i].hint);
    }
    return case_count > 0 ? failed : 1;
}
