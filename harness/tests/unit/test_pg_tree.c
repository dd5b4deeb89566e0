#include "pg/tree.h"

#include "tests/pg_support.h"

#include <fcntl.h>

static const struct ob_pg_account ourselves = {.other = false};

/* A small tree of directories, a file with content, and an empty one. */
static char *sample(void)
{
    char *dir = place_new();
    char *deeper = ob_asprintf("%s/base", dir);
    assert_int_equal(mkdir(deeper, 0755), 0);
    put_file(dir, "PG_VERSION", "15\n", 0644);
    put_file(deeper, "1", "some content", 0600);
    put_file(deeper, "2", "", 0600);
    free(deeper);
    return dir;
}

static uint64_t copy(const char *from, const char *to)
{
    struct ob_error err;
    uint64_t digest = 0;
    assert_int_equal(ob_pg_tree_copy(from, to, &ourselves, &digest, &err), OB_OK);
    return digest;
}

static uint64_t digest_of(const char *from)
{
    char *to = ob_asprintf("%s-copy", from);
    uint64_t digest = copy(from, to);
    assert_true(ob_pg_tree_remove(to));
    free(to);
    return digest;
}

static void a_copy_is_equal_private_and_has_the_same_digest(void **state)
{
    (void)state;
    char *dir = sample();
    char *to = ob_asprintf("%s-copy", dir);
    char *file = ob_asprintf("%s/base/1", to);
    char text[32];
    struct stat found;
    uint64_t digest = copy(dir, to);
    assert_true(ob_pg_tree_read_end(file, text, sizeof text));
    assert_string_equal(text, "some content");
    assert_int_equal(stat(file, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(stat(to, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    assert_true(digest_of(to) == digest);
    free(file);
    place_free(to);
    place_free(dir);
}

static void each_kind_of_damage_changes_the_digest(void **state)
{
    (void)state;
    char *dir = sample();
    char *base = ob_asprintf("%s/base", dir);
    char *file = ob_asprintf("%s/base/1", dir);
    char *moved = ob_asprintf("%s/base/3", dir);
    uint64_t whole = digest_of(dir);
    put_file(base, "1", "some dontent", 0600);
    assert_true(digest_of(dir) != whole);
    put_file(base, "1", "some conten", 0600);
    assert_true(digest_of(dir) != whole);
    put_file(base, "1", "some content", 0600);
    assert_true(digest_of(dir) == whole);
    assert_int_equal(rename(file, moved), 0);
    assert_true(digest_of(dir) != whole);
    assert_int_equal(unlink(moved), 0);
    assert_true(digest_of(dir) != whole);
    free(moved);
    free(file);
    free(base);
    place_free(dir);
}

static void a_link_in_the_tree_is_refused(void **state)
{
    (void)state;
    char *dir = sample();
    char *to = ob_asprintf("%s-copy", dir);
    char *link = ob_asprintf("%s/base/link", dir);
    struct ob_error err;
    uint64_t digest = 7;
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(ob_pg_tree_copy(dir, to, &ourselves, &digest, &err), OB_INPUT);
    assert_int_equal(digest, 7);
    assert_non_null(strstr(err.message, "/base/link"));
    free(link);
    place_free(to);
    place_free(dir);
}

static void a_missing_source_and_a_target_that_exists_are_errors(void **state)
{
    (void)state;
    char *dir = sample();
    struct ob_error err;
    uint64_t digest;
    assert_int_equal(ob_pg_tree_copy("/nonexistent/x", "/nonexistent/y", &ourselves, &digest, &err),
                     OB_INPUT);
    assert_int_equal(ob_pg_tree_copy(dir, dir, &ourselves, &digest, &err), OB_IO);
    assert_non_null(strstr(err.message, "could not write"));
    place_free(dir);
}

static void removal_follows_no_link(void **state)
{
    (void)state;
    char *kept = sample();
    char *dir = sample();
    char *link = ob_asprintf("%s/link", dir);
    char *file = ob_asprintf("%s/PG_VERSION", kept);
    assert_int_equal(symlink(kept, link), 0);
    assert_true(ob_pg_tree_remove(dir));
    assert_false(exists(dir));
    assert_true(exists(file));
    assert_true(ob_pg_tree_remove(dir));
    free(file);
    free(link);
    free(dir);
    place_free(kept);
}

static void a_file_is_written_whole_and_its_end_is_read(void **state)
{
    (void)state;
    char *dir = place_new();
    char *path = ob_asprintf("%s/file", dir);
    char text[5];
    struct ob_error err;
    assert_int_equal(ob_pg_tree_write(path, "a longer text", &err), OB_OK);
    assert_int_equal(ob_pg_tree_write(path, "one two", &err), OB_OK);
    assert_true(ob_pg_tree_read_end(path, text, sizeof text));
    assert_string_equal(text, " two");
    assert_int_equal(ob_pg_tree_write(path, "1", &err), OB_OK);
    assert_true(ob_pg_tree_read_end(path, text, sizeof text));
    assert_string_equal(text, "1");
    assert_false(ob_pg_tree_read_end("/nonexistent", text, sizeof text));
    assert_string_equal(text, "");
    assert_int_equal(ob_pg_tree_write("/nonexistent/x", "1", &err), OB_IO);
    free(path);
    place_free(dir);
}

static void writing_to_a_full_disk_says_what_to_do(void **state)
{
    (void)state;
    struct ob_error err;
    if (!exists("/dev/full"))
        skip();
    assert_int_equal(ob_pg_tree_write("/dev/full", "text", &err), OB_IO);
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_non_null(strstr(err.hint, "TMPDIR"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_equal_private_and_has_the_same_digest),
        cmocka_unit_test(each_kind_of_damage_changes_the_digest),
        cmocka_unit_test(a_link_in_the_tree_is_refused),
        cmocka_unit_test(a_missing_source_and_a_target_that_exists_are_errors),
        cmocka_unit_test(removal_follows_no_link),
        cmocka_unit_test(a_file_is_written_whole_and_its_end_is_read),
        cmocka_unit_test(writing_to_a_full_disk_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
