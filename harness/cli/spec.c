/* spec.c - overbook spec: isolation specs, printing what isolationtester prints. */
#include "cli/cli.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "spec/place.h"
#include "spec/player.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPEC_SIZE_MAX ((size_t)1 << 20)

static void write_out(void *self, bool complaint, const char *text, size_t size)
{
    (void)self;
    if (complaint)
        fflush(stdout);
    fwrite(text, 1, size, complaint ? stderr : stdout);
}

static enum ob_result read_spec(const char *path, struct ob_spec **out, struct ob_error *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return ob_error_set(err, OB_INPUT, "could not read \"%s\": %s", path, strerror(errno));
    struct ob_buf text;
    ob_buf_init(&text, SPEC_SIZE_MAX);
    char chunk[8192];
    for (size_t size; (size = fread(chunk, 1, sizeof chunk, file)) > 0;)
        ob_buf_add(&text, chunk, size);
    enum ob_result result = OB_OK;
    if (ferror(file))
        result = ob_error_set(err, OB_INPUT, "could not read \"%s\": %s", path, strerror(errno));
    else if (ob_buf_failed(&text))
        result = ob_error_set(err, OB_INPUT, "\"%s\" is larger than 1 MB", path);
    if (!standard)
        fclose(file);
    if (result == OB_OK)
        result = ob_spec_parse(path, text.data, text.size, out, err);
    ob_buf_clear(&text);
    return result;
}

static char *application_of(const char *path)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    size_t size = strlen(name);
    if (size > 5 && strcmp(name + size - 5, ".spec") == 0)
        size -= 5;
    return ob_asprintf("isolation/%.*s", (int)size, name);
}

static int limit_s(void)
{
    const char *given = getenv("PGISOLATIONTIMEOUT");
    return given ? atoi(given) : 300;
}

int ob_command_spec(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_SPEC, argc, argv, &options);
    struct ob_error err;
    struct ob_spec_place *place = NULL;
    ob_spec_place_conditions(NULL);
    enum ob_result result = ob_spec_place_open(&place, &err);
    bool played = true;
    const struct ob_spec_out out = {.write = write_out};
    for (size_t i = 0; i < options.arg_count && result == OB_OK && played; i++) {
        struct ob_spec *spec = NULL;
        result = read_spec(options.args[i], &spec, &err);
        if (result != OB_OK)
            break;
        char *application = application_of(options.args[i]);
        struct ob_spec_options how = {.application = application, .limit_s = limit_s()};
        result = ob_spec_play(spec, ob_spec_place_plain(place), &how, &out, &played, &err);
        free(application);
        ob_spec_free(spec);
    }
    ob_spec_place_close(place);
    if (result != OB_OK)
        return ob_cli_error(&err);
    return ob_cli_finish(played ? 0 : 1);
}
