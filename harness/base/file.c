/*
 * file.c - see file.h.
 */
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum ob_result ob_file_open(const char *path, FILE **out, struct ob_error *err)
{
    /* A pipe is opened without waiting for its other end, so that it can be refused. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        ob_error_set(err, OB_INPUT, "could not open \"%s\": %m", path);
        ob_error_hint(err, "check the path");
    } else if (!S_ISREG(info.st_mode)) {
        ob_error_set(err, OB_INPUT, "\"%s\" is not a regular file", path);
        ob_error_hint(err, "give a file");
    } else {
        *out = fdopen(fd, "r");
        if (*out)
            return OB_OK;
        ob_error_set(err, OB_INPUT, "could not read \"%s\": %m", path);
    }
    if (fd >= 0)
        close(fd);
    return OB_INPUT;
}
