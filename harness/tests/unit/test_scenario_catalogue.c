/*
 * docs/catalogue.md against the scenarios: every rank has its row, every row's scenario is there
 * with a control that fails and a cure that holds, no scenario and no variant is left out, and each
 * fact of PostgreSQL names where to see it.
 */
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_support.h"

#define CATALOGUE "docs/catalogue.md"
#define RANKS 25
#define CELLS 5
#define LINK "](../"

static struct ob_scenario_list builtin;
static struct ob_buf catalogue;

static int start(void **state)
{
    (void)state;
    struct ob_error err;
    static const char *const paths[] = {"scenarios"};
    if (ob_scenario_list_load(paths, 1, &builtin, &err) != OB_OK)
        fail_msg("%s", err.message);
    catalogue = read_file(CATALOGUE);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ob_buf_clear(&catalogue);
    ob_scenario_list_clear(&builtin);
    return 0;
}

/* The cells of a row of a table, cut out of its line; their number. */
static size_t cut(char *line, char **cells)
{
    size_t count = 0;
    char *rest = line + 1;
    for (char *bar; (bar = strchr(rest, '|')); rest = bar + 1) {
        *bar = '\0';
        if (count < CELLS)
            cells[count] = rest;
        count++;
    }
    return count;
}

static const struct ob_scenario *find_file(const char *path, size_t size)
{
    for (size_t i = 0; i < builtin.count; i++) {
        const char *file = builtin.items[i]->file;
        if (strlen(file) == size && strncmp(file, path, size) == 0)
            return builtin.items[i];
    }
    return NULL;
}

/* The scenario that the text at a link leads to, which must bear its name. */
static const struct ob_scenario *follow(const char *cell, const char *link)
{
    const char *path = link + strlen(LINK), *end = strchr(path, ')'), *name = link;
    assert_non_null(end);
    const struct ob_scenario *scenario = find_file(path, (size_t)(end - path));
    if (!scenario) {
        fail_msg("%s leads to no scenario: %.*s", CATALOGUE, (int)(end - path), path);
        return NULL;
    }
    while (name > cell && name[-1] != '[')
        name--;
    if (strncmp(scenario->name, name, strlen(scenario->name)) != 0)
        fail_msg("%s is called %.*s", scenario->name, (int)(link - name), name);
    return scenario;
}

/* How many of the variants the cell names: all that are to fail, or to hold, and nothing else. */
static size_t check_variants(const struct ob_scenario *scenario, const char *cell, bool fails)
{
    struct ob_buf expected;
    size_t count = 0;
    ob_buf_init(&expected, 1 << 16);
    ob_buf_puts(&expected, " ");
    for (size_t v = 0; v < scenario->variant_count; v++)
        if ((scenario->variants[v].violates != NULL) == fails)
            ob_buf_printf(&expected, "%s`%s`", count++ > 0 ? ", " : "", scenario->variants[v].name);
    ob_buf_puts(&expected, " ");
    if (strcmp(cell, expected.data) != 0)
        fail_msg("%s: %s has\n%s, not\n%s", scenario->name, CATALOGUE, expected.data, cell);
    ob_buf_clear(&expected);
    return count;
}

static bool has_source(const struct ob_scenario *scenario)
{
    for (size_t v = 0; v < scenario->variant_count; v++)
        if (scenario->variants[v].violates && scenario->variants[v].source[0] != '\0')
            return true;
    return false;
}

/* Calls check with the cells of each row of so many cells that names a scenario. */
static void each_row(size_t cell_count, void (*check)(char **cells, void *arg), void *arg)
{
    char *text = strdup(catalogue.data), *rest = text, *line;
    while ((line = strsep(&rest, "\n"))) {
        char *cells[CELLS] = {NULL};
        bool names_one = line[0] == '|' && strstr(line, LINK);
        if (names_one && cut(line, cells) == cell_count)
            check(cells, arg);
    }
    free(text);
}

static void check_row(char **cells, void *arg)
{
    size_t *rows = arg;
    const char *link = strstr(cells[2], LINK);
    assert_non_null(link);
    const struct ob_scenario *scenario = follow(cells[2], link);
    size_t fail = check_variants(scenario, cells[3], true);
    size_t hold = check_variants(scenario, cells[4], false);
    if (fail == 0 || hold == 0)
        fail_msg("%s lacks a control or a cure", scenario->name);
    long rank = strtol(cells[0], NULL, 10);
    assert_in_range(rank, 0, RANKS);
    rows[rank]++;
}

static void every_rank_has_a_scenario_with_a_control_and_a_cure(void **state)
{
    (void)state;
    size_t rows[RANKS + 1] = {0};
    each_row(5, check_row, rows);
    for (size_t rank = 1; rank <= RANKS; rank++)
        if (rows[rank] == 0)
            fail_msg("%s has no scenario for rank %zu", CATALOGUE, rank);
}

static void count_row(char **cells, void *arg)
{
    size_t *counts = arg;
    const struct ob_scenario *scenario = follow(cells[2], strstr(cells[2], LINK));
    for (size_t i = 0; i < builtin.count; i++)
        counts[i] += builtin.items[i] == scenario;
}

static void every_scenario_has_a_row(void **state)
{
    (void)state;
    size_t *counts = ob_alloc(builtin.count * sizeof *counts);
    each_row(5, count_row, counts);
    for (size_t i = 0; i < builtin.count; i++)
        if (counts[i] == 0)
            fail_msg("%s has no row in %s", builtin.items[i]->name, CATALOGUE);
    free(counts);
}

static void count_source(char **cells, void *arg)
{
    size_t *sources = arg;
    const struct ob_scenario *scenario = follow(cells[2], strstr(cells[2], LINK));
    sources[strtol(cells[0], NULL, 10)] += has_source(scenario);
}

static void every_rank_says_where_its_race_was_met(void **state)
{
    (void)state;
    size_t sources[RANKS + 1] = {0};
    each_row(5, count_source, sources);
    for (size_t rank = 1; rank <= RANKS; rank++)
        if (sources[rank] == 0)
            fail_msg("no control of rank %zu has a source", rank);
}

/* Or that it holds says nothing. */
static void whoever_holds_has_met_somebody(void **state)
{
    (void)state;
    for (size_t i = 0; i < builtin.count; i++) {
        const struct ob_scenario *scenario = builtin.items[i];
        if (scenario->sometimes_count == 0)
            fail_msg("%s does not say what some run must reach", scenario->name);
    }
}

static void check_fact(char **cells, void *arg)
{
    size_t *facts = arg;
    for (const char *at = cells[1]; (at = strstr(at, LINK)); at += strlen(LINK))
        (void)follow(cells[1], at);
    ++*facts;
}

static void every_fact_names_where_it_is_seen(void **state)
{
    (void)state;
    size_t facts = 0;
    each_row(2, check_fact, &facts);
    assert_true(facts >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rank_has_a_scenario_with_a_control_and_a_cure),
        cmocka_unit_test(every_scenario_has_a_row),
        cmocka_unit_test(every_rank_says_where_its_race_was_met),
        cmocka_unit_test(whoever_holds_has_met_somebody),
        cmocka_unit_test(every_fact_names_where_it_is_seen),
    };
    return cmocka_run_group_tests_name("scenario_catalogue", tests, start, stop);
}
