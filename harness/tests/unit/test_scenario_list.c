/* Finding scenario files below a folder of the test's own. */
#include "scenario/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/overbook-list-XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* Each test begins with an empty folder. */
static int empty_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0 && mkdir(folder, 0700) == 0 &&
                   chdir(folder) == 0
               ? 0
               : -1;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") == 0 && nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

static void write_scenario(const char *path, const char *name)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file,
            "name: %s\nabout: A race.\ntarget: reference\nclients: [{name: a, does: cleanup}]\n"
            "invariants: [no-overlap]\nexpect: holds\n",
            name);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

/* Loads the paths (ends with NULL) and compares the names, joined by spaces. */
static void assert_found(const char *const *paths, const char *expected)
{
    struct ob_error err;
    struct ob_scenario_list list;
    char names[256] = "";
    size_t count = 0, size = 0;
    while (paths[count])
        count++;
    if (ob_scenario_list_load(paths, count, &list, &err) != OB_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < list.count; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", i > 0 ? " " : "",
                                 list.items[i]->name);
    assert_string_equal(names, expected);
    ob_scenario_list_clear(&list);
    assert_int_equal(list.count, 0);
}

static struct ob_error refused(const char *const *paths, size_t count)
{
    struct ob_error err;
    struct ob_scenario_list list = {.count = 99};
    assert_int_equal(ob_scenario_list_load(paths, count, &list, &err), OB_INPUT);
    assert_int_equal(list.count, 99);
    assert_string_not_equal(err.hint, "");
    return err;
}

#define FOUND(expected, ...) assert_found((const char *const[]){__VA_ARGS__, NULL}, expected)
#define REFUSED(...)                            \
    refused((const char *const[]){__VA_ARGS__}, \
            sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void a_folder_is_read_in_the_order_of_bytes(void **state)
{
    (void)state;
    make_folder("b");
    write_scenario("b/z.yaml", "b-z");
    write_scenario("b/a.yml", "b-a");
    write_scenario("a.yaml", "a");
    write_scenario("B.yaml", "capital");
    write_scenario("c.yaml", "c");
    FOUND("capital a b-a b-z c", ".");
}

static void paths_are_read_in_their_own_order(void **state)
{
    (void)state;
    write_scenario("a.yaml", "a");
    write_scenario("b.yaml", "b");
    FOUND("b a", "b.yaml", "a.yaml");
}

static void a_file_may_have_any_name_when_it_is_given(void **state)
{
    (void)state;
    write_scenario("race.txt", "a");
    FOUND("a", "race.txt");
}

static void other_files_and_hidden_ones_are_passed_over(void **state)
{
    (void)state;
    make_folder(".git");
    make_folder("folder.yaml");
    write_scenario(".git/a.yaml", "hidden");
    write_scenario(".b.yaml", "hidden-too");
    write_scenario("README", "other");
    write_scenario("yaml", "other-too");
    write_scenario("folder.yaml/a.yaml", "a");
    FOUND("a", ".");
}

static void a_link_to_a_file_is_followed_and_one_to_a_folder_is_not(void **state)
{
    (void)state;
    make_folder("sub");
    write_scenario("sub/real", "a");
    assert_int_equal(symlink("real", "sub/link.yaml"), 0);
    assert_int_equal(symlink("..", "sub/up.yaml"), 0);
    assert_int_equal(symlink("nowhere", "sub/broken.yaml"), 0);
    FOUND("a", ".");
}

static void a_folder_without_scenarios_is_refused(void **state)
{
    (void)state;
    make_folder("empty");
    assert_string_equal(REFUSED("empty").message, "no scenario below \"empty\"");
}

static void a_path_that_is_not_there_is_refused(void **state)
{
    (void)state;
    assert_string_equal(REFUSED("gone").message,
                        "could not open \"gone\": No such file or directory");
}

static void two_scenarios_of_one_name_are_refused(void **state)
{
    (void)state;
    write_scenario("a.yaml", "same");
    write_scenario("b.yaml", "same");
    struct ob_error err = REFUSED(".");
    assert_string_equal(err.message, "there are two scenarios \"same\"");
    assert_string_equal(err.detail, "./a.yaml and ./b.yaml");
}

static void one_bad_file_refuses_all(void **state)
{
    (void)state;
    write_scenario("a.yaml", "a");
    write_scenario("b.yaml", "Bad");
    assert_int_equal(strncmp(REFUSED(".").message, "./b.yaml:1:7: ", 14), 0);
}

static void folders_end_at_a_depth(void **state)
{
    (void)state;
    for (int i = 0; i < 33; i++) {
        make_folder("d");
        assert_int_equal(chdir("d"), 0);
    }
    assert_int_equal(chdir(folder), 0);
    assert_non_null(strstr(REFUSED(".").message, "is more than 32 folders deep"));
}

static void no_paths_are_no_scenarios(void **state)
{
    (void)state;
    struct ob_error err;
    struct ob_scenario_list list = {.count = 99};
    assert_int_equal(ob_scenario_list_load(NULL, 0, &list, &err), OB_OK);
    assert_int_equal(list.count, 0);
    ob_scenario_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_folder_is_read_in_the_order_of_bytes, empty_folder),
        cmocka_unit_test_setup(paths_are_read_in_their_own_order, empty_folder),
        cmocka_unit_test_setup(a_file_may_have_any_name_when_it_is_given, empty_folder),
        cmocka_unit_test_setup(other_files_and_hidden_ones_are_passed_over, empty_folder),
        cmocka_unit_test_setup(a_link_to_a_file_is_followed_and_one_to_a_folder_is_not,
                               empty_folder),
        cmocka_unit_test_setup(a_folder_without_scenarios_is_refused, empty_folder),
        cmocka_unit_test_setup(a_path_that_is_not_there_is_refused, empty_folder),
        cmocka_unit_test_setup(two_scenarios_of_one_name_are_refused, empty_folder),
        cmocka_unit_test_setup(one_bad_file_refuses_all, empty_folder),
        cmocka_unit_test_setup(folders_end_at_a_depth, empty_folder),
        cmocka_unit_test(no_paths_are_no_scenarios),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
