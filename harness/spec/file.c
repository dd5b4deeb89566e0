#include "spec/file.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SPEC_SIZE_MAX ((size_t)1 << 20)

static enum ob_result complain(const char *path, struct ob_error *err)
{
    return ob_error_set(err, OB_INPUT, "could not read \"%s\": %s", path, strerror(errno));
}

enum ob_result ob_spec_file_text(const char *path, struct ob_buf *out, struct ob_error *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return complain(path, err);
    char chunk[8192];
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, file)) > 0;)
        ob_buf_add(out, chunk, size);
    enum ob_result result = OB_OK;
    if (ferror(file))
        result = complain(path, err);
    else if (ob_buf_failed(out))
        result = ob_error_set(err, OB_INPUT, "\"%s\" is larger than 1 MB", path);
    if (!standard)
        fclose(file);
    return result;
}

enum ob_result ob_spec_file_read(const char *path, struct ob_spec **out, struct ob_error *err)
{
    struct ob_buf text;
    ob_buf_init(&text, SPEC_SIZE_MAX);
    enum ob_result result = ob_spec_file_text(path, &text, err);
    if (result == OB_OK)
        result = ob_spec_parse(path, text.data, text.size, out, err);
    ob_buf_clear(&text);
    return result;
}

char *ob_spec_file_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t size = strlen(name), suffix = sizeof ".spec" - 1;
    if (size > suffix && strcmp(name + size - suffix, ".spec") == 0)
        size -= suffix;
    return ob_asprintf("%.*s", (int)size, name);
}
