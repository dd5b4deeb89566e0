/* Journals: what was added is there again, whatever a kill cut off. */
#include "base/journal.h"

#include "base/alloc.h"
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[] = "of a test\nseed 1\n";
static const char *const records[] = {"one", "", "a longer one"};
#define RECORDS (sizeof records / sizeof *records)

static char *new_path(void)
{
    char *path = ob_strdup("/tmp/ob-journal-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

static off_t size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_size;
}

static void add(struct ob_journal *journal, const char *text)
{
    struct ob_buf record;
    struct ob_error err;
    ob_buf_init(&record, 100);
    ob_buf_puts(&record, text);
    assert_int_equal(ob_journal_add(journal, &record, &err), OB_OK);
    ob_buf_clear(&record);
}

/* How many of the records are there, in their order. */
static size_t read_all(struct ob_journal *journal)
{
    struct ob_buf record;
    struct ob_error err;
    bool end = false;
    size_t count = 0;
    ob_buf_init(&record, 100);
    for (;; count++) {
        assert_int_equal(ob_journal_read(journal, &record, &end, &err), OB_OK);
        if (end)
            break;
        assert_string_equal(record.data, count < RECORDS ? records[count] : "none");
    }
    ob_buf_clear(&record);
    return count;
}

static size_t write_whole(const char *path)
{
    struct ob_journal *journal = NULL;
    struct ob_error err;
    assert_int_equal(ob_journal_open(path, head, &journal, &err), OB_OK);
    size_t found = read_all(journal);
    for (size_t i = found; i < RECORDS; i++)
        add(journal, records[i]);
    ob_journal_close(journal);
    return found;
}

static void what_is_cut_off_anywhere_is_added_again(void **state)
{
    (void)state;
    char *path = new_path();
    assert_int_equal(write_whole(path), 0);
    off_t whole = size_of(path);
    size_t before = 0;
    for (off_t size = 0; size <= whole; size++) {
        assert_int_equal(truncate(path, size), 0);
        size_t found = write_whole(path);
        assert_true(found >= before);
        before = found;
        assert_int_equal(size_of(path), whole);
        assert_int_equal(write_whole(path), RECORDS);
    }
    assert_int_equal(before, RECORDS);
    unlink(path);
    free(path);
}

static void damage_is_refused_and_the_file_left_alone(void **state)
{
    (void)state;
    char *path = new_path();
    assert_int_equal(write_whole(path), 0);
    off_t last = size_of(path) - 8 - (off_t)strlen(records[RECORDS - 1]);
    for (off_t at = 0; at < last; at++) {
        char byte, other;
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        other = (char)(byte ^ 1);
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        struct ob_journal *journal = NULL;
        struct ob_error err;
        struct ob_buf record;
        bool end = false;
        ob_buf_init(&record, 100);
        enum ob_result result = ob_journal_open(path, head, &journal, &err);
        while (result == OB_OK && !end)
            result = ob_journal_read(journal, &record, &end, &err);
        bool size_changed = at >= 8 + (off_t)strlen(head) && end; /* and so it looks cut off */
        assert_true(result == OB_REFUSED || size_changed);
        ob_journal_close(journal);
        ob_buf_clear(&record);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        if (size_changed)
            (void)write_whole(path);
    }
    unlink(path);
    free(path);
}

static void another_head_is_shown_where_it_differs(void **state)
{
    (void)state;
    struct ob_journal *journal = NULL;
    struct ob_error err;
    char *path = new_path();
    (void)write_whole(path);
    assert_int_equal(ob_journal_open(path, "of a test\nseed 12\n", &journal, &err), OB_REFUSED);
    assert_string_equal(err.detail, "It is of \"seed 1\", and not of \"seed 12\".");
    assert_int_equal(ob_journal_open(path, head, &journal, &err), OB_OK);
    struct ob_journal *second = NULL;
    assert_int_equal(ob_journal_open(path, head, &second, &err), OB_REFUSED);
    assert_non_null(strstr(err.message, "in use"));
    ob_journal_close(journal);
    unlink(path);
    free(path);
}

static void numbers_and_texts_come_back(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT64_MAX};
    struct ob_buf bytes;
    struct ob_arena arena;
    ob_arena_init(&arena);
    ob_buf_init(&bytes, 1000);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        ob_pack_u64(&bytes, numbers[i]);
    ob_pack_text(&bytes, "text");
    struct ob_unpack in = {.data = (const uint8_t *)bytes.data, .size = bytes.size};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_int_equal(ob_unpack_u64(&in), numbers[i]);
    assert_string_equal(ob_unpack_text(&in, &arena), "text");
    assert_false(in.failed);
    assert_int_equal(ob_unpack_u64(&in), 0);
    assert_true(in.failed);
    struct ob_unpack cut = {.data = (const uint8_t *)"\x05"
                                                     "ab",
                            .size = 3};
    assert_string_equal(ob_unpack_text(&cut, &arena), "");
    assert_true(cut.failed);
    ob_buf_clear(&bytes);
    ob_arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_cut_off_anywhere_is_added_again),
        cmocka_unit_test(damage_is_refused_and_the_file_left_alone),
        cmocka_unit_test(another_head_is_shown_where_it_differs),
        cmocka_unit_test(numbers_and_texts_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
