/*
 * Specs in files begin their runs as PostgreSQL's own tool has it in their expected outputs: the
 * unused steps, the number of sessions, and every permutation in its order.  Ours are in
 * fixtures/specs; PostgreSQL's are compared where OVERBOOK_ISOLATION (by default
 * ../shared/isolation) is a directory with its "specs" and "expected".
 */
#include "scenario/spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario_support.h"

#define TEXT_SIZE_MAX ((size_t)1 << 22)

static void add_order(struct ob_buf *out, const struct ob_spec *spec,
                      const struct ob_spec_permutation *order)
{
    ob_buf_puts(out, "starting permutation:");
    for (size_t i = 0; i < order->launch_count; i++)
        ob_buf_printf(out, " %s", spec->steps[order->launches[i].step].name);
    ob_buf_putc(out, '\n');
}

static void add_orders(struct ob_buf *out, const struct ob_spec *spec)
{
    struct ob_spec_permutation order;
    struct ob_spec_orders *orders = ob_spec_orders_new(spec);
    for (size_t i = 0; i < spec->permutation_count; i++)
        add_order(out, spec, &spec->permutations[i]);
    while (spec->permutation_count == 0 && ob_spec_orders_next(orders, &order))
        add_order(out, spec, &order);
    ob_spec_orders_free(orders);
}

/* The lines of a run that the spec alone decides, or what is wrong with it. */
static struct ob_buf lines_of_spec(const char *path)
{
    struct ob_error err;
    struct ob_spec *spec;
    struct ob_buf data = read_file(path), out;
    ob_buf_init(&out, TEXT_SIZE_MAX);
    if (ob_spec_parse(path, data.data, data.size, &spec, &err) == OB_OK) {
        size_t count;
        const struct ob_spec_step **unused = ob_spec_unused(spec, &count);
        for (size_t i = 0; i < count; i++)
            ob_buf_printf(&out, "unused step name: %s\n", unused[i]->name);
        ob_buf_printf(&out, "Parsed test spec with %zu sessions\n", spec->session_count);
        add_orders(&out, spec);
        free(unused);
        ob_spec_free(spec);
    } else {
        ob_buf_printf(&out, "%s\n", err.message);
    }
    ob_buf_clear(&data);
    return out;
}

static bool is_of_spec(const char *line)
{
    static const char *const starts[] = {"unused step name: ", "Parsed test spec with ",
                                         "starting permutation: "};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (strncmp(line, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

/* Those lines of an expected output; all of it where the spec was refused. */
static struct ob_buf lines_of_output(const char *path)
{
    struct ob_buf data = read_file(path), out;
    ob_buf_init(&out, TEXT_SIZE_MAX);
    for (const char *line = data.data; line && *line;) {
        size_t size = strcspn(line, "\n") + 1;
        if (is_of_spec(line))
            ob_buf_add(&out, line, size);
        line += size;
    }
    if (out.size == 0)
        ob_buf_add(&out, data.data, data.size);
    ob_buf_clear(&data);
    return out;
}

/* A run that failed has not come to all of its permutations. */
static bool ended_badly(const char *directory, const char *name)
{
    char *path = ob_asprintf("%s/expected/%s.status", directory, name);
    FILE *file = fopen(path, "re");
    free(path);
    if (file)
        fclose(file);
    return file != NULL;
}

static void compare(const char *specs, const char *directory, const char *name)
{
    char *spec_path = ob_asprintf("%s/%s.spec", specs, name);
    char *output_path = ob_asprintf("%s/expected/%s.out", directory, name);
    struct ob_buf ours = lines_of_spec(spec_path), theirs = lines_of_output(output_path);
    if (ended_badly(directory, name) && theirs.size < ours.size)
        ours.data[theirs.size] = '\0';
    if (strcmp(ours.data, theirs.data) != 0)
        fail_msg("%s: we read\n%s%s has\n%s", spec_path, ours.data, output_path, theirs.data);
    ob_buf_clear(&ours);
    ob_buf_clear(&theirs);
    free(spec_path);
    free(output_path);
}

/* Compares all specs of a directory; returns how many. */
static int compare_all(const char *specs, const char *directory)
{
    int count = 0;
    struct dirent *entry;
    DIR *dir = opendir(specs);
    while (dir && (entry = readdir(dir))) {
        char *name = ob_strdup(entry->d_name);
        char *end = strrchr(name, '.');
        if (end && strcmp(end, ".spec") == 0) {
            *end = '\0';
            compare(specs, directory, name);
            count++;
        }
        free(name);
    }
    if (dir)
        closedir(dir);
    return count;
}

static void our_specs_begin_as_the_peer_has_it(void **state)
{
    (void)state;
    assert_true(compare_all("fixtures/specs", "fixtures/specs") >= 30);
}

static void specs_of_postgresql_begin_as_the_peer_has_it(void **state)
{
    (void)state;
    const char *directory = getenv("OVERBOOK_ISOLATION");
    if (!directory)
        directory = "../shared/isolation";
    char *specs = ob_asprintf("%s/specs", directory);
    int count = compare_all(specs, directory);
    free(specs);
    if (count == 0) {
        printf("SKIPPED: no specs of PostgreSQL in %s; OVERBOOK_ISOLATION tells where\n",
               directory);
        skip();
    }
    printf("figure: %d specs of PostgreSQL read as their expected outputs have it\n", count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_specs_begin_as_the_peer_has_it),
        cmocka_unit_test(specs_of_postgresql_begin_as_the_peer_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
