#include "cli/stored.h"

#include "base/file.h"

#define FILE_SIZE_MAX ((size_t)1 << 30)

enum ob_result ob_stored_read(const char *path, struct ob_report *out, struct ob_error *err)
{
    FILE *stream = NULL;
    ob_report_init(out);
    enum ob_result result = ob_file_open(path, &stream, err);
    if (result != OB_OK)
        return result;
    struct ob_buf text;
    char chunk[65536];
    size_t size;
    ob_buf_init(&text, FILE_SIZE_MAX);
    while ((size = fread(chunk, 1, sizeof chunk, stream)) > 0)
        ob_buf_add(&text, chunk, size);
    bool failed = ferror(stream) || ob_buf_failed(&text);
    fclose(stream);
    if (failed)
        result = ob_error_set(err, OB_INPUT, "could not read all of \"%s\"", path);
    else
        result = ob_report_read(path, text.data, text.size, out, err);
    ob_buf_clear(&text);
    return result;
}
