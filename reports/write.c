/* write.c - a report into a file: whole, or not at all. */
#include "report_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Renders into a stream and sees to it that everything has left it. */
static enum ob_result render(const struct ob_report *report, ob_report_renderer *renderer,
                             FILE *out, const char *path, struct ob_error *err)
{
    enum ob_result result = renderer(report, out, err);
    if (result == OB_OK && (fflush(out) == EOF || ferror(out)))
        result = ob_report_write_error(err, path);
    return result;
}

static enum ob_result open_error(struct ob_error *err, const char *path)
{
    ob_report_write_error(err, path);
    if (errno == ENOENT)
        ob_error_hint(err, "Create the directory first.");
    return err->code;
}

/* Devices and pipes have no content to keep whole, and must not be replaced. */
static enum ob_result write_direct(const struct ob_report *report, ob_report_renderer *renderer,
                                   const char *path, struct ob_error *err)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return open_error(err, path);
    enum ob_result result = render(report, renderer, out, path, err);
    if (fclose(out) == EOF && result == OB_OK)
        result = ob_report_write_error(err, path);
    return result;
}

/* The temporary file lies beside path, since a rename cannot cross from one file system to another.
 */
static enum ob_result write_whole(const struct ob_report *report, ob_report_renderer *renderer,
                                  const char *path, struct ob_error *err)
{
    enum ob_result result = OB_OK;
    char *temporary = ob_asprintf("%s.%ld.tmp", path, (long)getpid());
    unlink(temporary); /* of a process that had the same number and was killed */
    FILE *out = fopen(temporary, "wxe");
    if (!out) {
        result = open_error(err, path);
        goto cleanup;
    }
    result = render(report, renderer, out, path, err);
    if (fclose(out) == EOF && result == OB_OK)
        result = ob_report_write_error(err, path);
    if (result == OB_OK && rename(temporary, path) < 0)
        result = ob_report_write_error(err, path);
    if (result != OB_OK)
        unlink(temporary);
cleanup:
    free(temporary);
    return result;
}

enum ob_result ob_report_can_write(const char *path, struct ob_error *err)
{
    struct stat status;
    enum ob_result result = OB_OK;
    if (strcmp(path, "-") == 0)
        return OB_OK;
    if (stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
        else if (access(path, W_OK) == 0)
            return OB_OK;
        return open_error(err, path);
    }
    char *parent = ob_strdup(path);
    char *slash = strrchr(parent, '/');
    if (slash)
        slash[slash == parent] = '\0';
    if (access(slash ? parent : ".", W_OK | X_OK) != 0)
        result = open_error(err, path);
    free(parent);
    return result;
}

enum ob_result ob_report_write(const struct ob_report *report, ob_report_renderer *renderer,
                               const char *path, struct ob_error *err)
{
    if (strcmp(path, "-") == 0)
        return render(report, renderer, stdout, "standard output", err);
    struct stat status;
    if (stat(path, &status) < 0)
        return write_whole(report, renderer, path, err);
    if (!S_ISREG(status.st_mode))
        return write_direct(report, renderer, path, err);
    /* A symbolic link stays, and what it points to is replaced. */
    char *real = realpath(path, NULL);
    enum ob_result result = real ? write_whole(report, renderer, real, err) : open_error(err, path);
    free(real);
    return result;
}
