#include "base/journal.h"

#include "base/alloc.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_SIZE ((size_t)8) /* size and check, four bytes each, lowest first */
#define SYNC_EVERY 64          /* records */

struct ob_journal {
    char *path;
    int fd;
    off_t at, size; /* while it is read */
    unsigned unsynced;
};

static enum ob_result io_error(const struct ob_journal *journal, struct ob_error *err)
{
    return ob_error_set(err, OB_IO, "could not use the checkpoint \"%s\": %s", journal->path,
                        strerror(errno));
}

static enum ob_result damaged(const struct ob_journal *journal, struct ob_error *err)
{
    ob_error_set(err, OB_REFUSED, "the checkpoint \"%s\" is damaged at byte %lld", journal->path,
                 (long long)journal->at);
    ob_error_hint(err, "Remove it to begin again.");
    return OB_REFUSED;
}

enum ob_result ob_journal_misfit(const struct ob_journal *journal, struct ob_error *err)
{
    ob_error_set(err, OB_REFUSED, "the checkpoint \"%s\" does not fit its own beginning",
                 journal->path);
    ob_error_hint(err, "Remove it to begin again.");
    return OB_REFUSED;
}

static uint32_t check_of(const void *data, size_t size)
{
    return (uint32_t)ob_hash_end(ob_hash_bytes(OB_HASH_START, data, size));
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static void put_number(uint8_t *bytes, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

static bool read_at(const struct ob_journal *journal, void *data, size_t size, off_t at)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = pread(journal->fd, (char *)data + got, size - got, at + (off_t)got);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* What was being written when the process was killed. */
static enum ob_result cut_tail(struct ob_journal *journal, struct ob_error *err)
{
    bool cut = journal->at == journal->size || ftruncate(journal->fd, journal->at) == 0;
    if (!cut || lseek(journal->fd, journal->at, SEEK_SET) < 0)
        return io_error(journal, err);
    return OB_OK;
}

/* *end: nothing whole is left. */
static enum ob_result read_record(struct ob_journal *journal, struct ob_buf *record, bool *end,
                                  struct ob_error *err)
{
    uint8_t frame[FRAME_SIZE];
    size_t left = (size_t)(journal->size - journal->at);
    *end = left < FRAME_SIZE;
    if (*end)
        return OB_OK;
    if (!read_at(journal, frame, FRAME_SIZE, journal->at))
        return io_error(journal, err);
    size_t size = number_at(frame);
    if (size > OB_JOURNAL_RECORD_MAX)
        return damaged(journal, err);
    *end = size > left - FRAME_SIZE;
    if (*end)
        return OB_OK;
    char *data = ob_alloc(size + 1);
    bool whole = read_at(journal, data, size, journal->at + (off_t)FRAME_SIZE);
    bool right = check_of(data, size) == number_at(frame + 4);
    ob_buf_reset(record);
    ob_buf_add(record, data, size);
    free(data);
    if (!whole)
        return io_error(journal, err);
    if (right) {
        journal->at += (off_t)(FRAME_SIZE + size);
        return OB_OK;
    }
    *end = size == left - FRAME_SIZE;
    return *end ? OB_OK : damaged(journal, err);
}

enum ob_result ob_journal_read(struct ob_journal *journal, struct ob_buf *record, bool *end,
                               struct ob_error *err)
{
    enum ob_result result = read_record(journal, record, end, err);
    return result == OB_OK && *end ? cut_tail(journal, err) : result;
}

/* The caller's to free. */
static uint8_t *frame_of(const void *data, size_t size)
{
    uint8_t *bytes = ob_alloc(FRAME_SIZE + size);
    put_number(bytes, (uint32_t)size);
    put_number(bytes + 4, check_of(data, size));
    memcpy(bytes + FRAME_SIZE, data, size);
    return bytes;
}

enum ob_result ob_journal_add(struct ob_journal *journal, const struct ob_buf *record,
                              struct ob_error *err)
{
    size_t size = FRAME_SIZE + record->size;
    if (record->size > OB_JOURNAL_RECORD_MAX)
        return ob_error_set(err, OB_LIMIT, "a record of the checkpoint is too large");
    uint8_t *bytes = frame_of(record->data, record->size);
    bool failed = false;
    for (size_t sent = 0; sent < size && !failed;) {
        ssize_t n = write(journal->fd, bytes + sent, size - sent);
        failed = n < 0 && errno != EINTR;
        sent += n > 0 ? (size_t)n : 0;
    }
    free(bytes);
    if (!failed && ++journal->unsynced >= SYNC_EVERY) {
        failed = fdatasync(journal->fd) != 0;
        journal->unsynced = 0;
    }
    return failed ? io_error(journal, err) : OB_OK;
}

/* --- opening */

/* Shows the first line that is different. */
static enum ob_result other_head(const struct ob_journal *journal, const char *found,
                                 const char *wanted, struct ob_error *err)
{
    while (found[0] != '\0' && strcspn(found, "\n") == strcspn(wanted, "\n") &&
           strncmp(found, wanted, strcspn(found, "\n") + 1) == 0) {
        size_t size = strcspn(found, "\n");
        found += size + (found[size] == '\n');
        wanted += size + (wanted[size] == '\n');
    }
    ob_error_set(err, OB_REFUSED, "the checkpoint \"%s\" is of something else", journal->path);
    ob_error_detail(err, "It is of \"%.*s\", and not of \"%.*s\".", (int)strcspn(found, "\n"),
                    found, (int)strcspn(wanted, "\n"), wanted);
    ob_error_hint(err, "Name another one, or remove it to begin again.");
    return OB_REFUSED;
}

/* Whether all there is is the beginning of this head: the first process was killed early. */
static bool is_unfinished(const struct ob_journal *journal, const char *head)
{
    size_t whole = FRAME_SIZE + strlen(head), size = (size_t)journal->size;
    if (size >= whole)
        return false;
    uint8_t *expected = frame_of(head, strlen(head)), *found = ob_alloc(whole);
    bool same = read_at(journal, found, size, 0) && memcmp(expected, found, size) == 0;
    free(expected);
    free(found);
    return same;
}

static enum ob_result begin(struct ob_journal *journal, const char *head, struct ob_error *err)
{
    struct ob_buf record;
    ob_buf_init(&record, OB_JOURNAL_RECORD_MAX);
    ob_buf_puts(&record, head);
    enum ob_result result = cut_tail(journal, err);
    if (result == OB_OK)
        result = ob_journal_add(journal, &record, err);
    ob_buf_clear(&record);
    journal->at = journal->size = (off_t)(FRAME_SIZE + strlen(head));
    return result;
}

static enum ob_result check_head(struct ob_journal *journal, const char *head, struct ob_error *err)
{
    struct ob_buf found;
    bool end;
    if (is_unfinished(journal, head))
        return begin(journal, head, err);
    ob_buf_init(&found, OB_JOURNAL_RECORD_MAX);
    enum ob_result result = read_record(journal, &found, &end, err);
    if (result == OB_OK && end)
        result = damaged(journal, err);
    else if (result == OB_OK && strcmp(found.data, head) != 0)
        result = other_head(journal, found.data, head, err);
    ob_buf_clear(&found);
    return result;
}

static enum ob_result open_file(struct ob_journal *journal, struct ob_error *err)
{
    struct stat info;
    journal->fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (journal->fd < 0 || fstat(journal->fd, &info) != 0)
        return io_error(journal, err);
    if (!S_ISREG(info.st_mode))
        return ob_error_set(err, OB_REFUSED, "the checkpoint \"%s\" is no regular file",
                            journal->path);
    if (flock(journal->fd, LOCK_EX | LOCK_NB) != 0) {
        ob_error_set(err, OB_REFUSED, "the checkpoint \"%s\" is in use", journal->path);
        ob_error_hint(err, "Wait for the other overbook, or name another checkpoint.");
        return OB_REFUSED;
    }
    if (fstat(journal->fd, &info) != 0)
        return io_error(journal, err);
    journal->size = info.st_size;
    return OB_OK;
}

enum ob_result ob_journal_open(const char *path, const char *head, struct ob_journal **out,
                               struct ob_error *err)
{
    struct ob_journal *journal = ob_alloc(sizeof *journal);
    journal->path = ob_strdup(path);
    enum ob_result result = open_file(journal, err);
    if (result == OB_OK)
        result = check_head(journal, head, err);
    if (result == OB_OK)
        *out = journal;
    else
        ob_journal_close(journal);
    return result;
}

void ob_journal_close(struct ob_journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0) {
        (void)fdatasync(journal->fd);
        close(journal->fd);
    }
    free(journal->path);
    free(journal);
}
