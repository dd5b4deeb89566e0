/*
 * yaml.c - as a scenario file: a copy of the run's, which plays that one run and expects what it
 * broke.
 *
 * The file's text stays as it is, comments too, but for two keys at its top: what stands under
 * "explore" and "expect" is left out, and written anew at the end.  Whether the copy is a scenario,
 * and breaks what it should, is for the caller to find out.
 */
#include "export/export_int.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum ob_result read_text(const char *path, struct ob_buf *out, struct ob_error *err)
{
    char part[4096];
    FILE *file;
    enum ob_result result = ob_file_open(path, &file, err);
    if (result != OB_OK)
        return result;
    for (size_t size; (size = fread(part, 1, sizeof part, file)) > 0;)
        ob_buf_add(out, part, size);
    bool failed = ferror(file) != 0;
    fclose(file);
    return failed ? ob_error_set(err, OB_INPUT, "could not read \"%s\"", path) : OB_OK;
}

static bool begins_key(const char *line, size_t size, const char *key)
{
    size_t length = strlen(key);
    return size > length && strncmp(line, key, length) == 0 && line[length] == ':';
}

/* A line that still belongs to the key above it: further in, a list's entry, or empty. */
static bool goes_on(const char *line)
{
    return strchr(" \t-\r\n", line[0]) != NULL;
}

static void copy_without(const char *text, struct ob_buf *out)
{
    bool leaving = false;
    for (const char *line = text; *line;) {
        size_t size = strcspn(line, "\n");
        size += line[size] == '\n';
        if (begins_key(line, size, "explore") || begins_key(line, size, "expect"))
            leaving = true;
        else if (!goes_on(line))
            leaving = false;
        if (!leaving)
            ob_buf_add(out, line, size);
        line += size;
    }
    if (out->size > 0 && out->data[out->size - 1] != '\n')
        ob_buf_putc(out, '\n');
}

static void put_expectation(const char *violates, struct ob_buf *out)
{
    if (violates)
        ob_buf_printf(out, "{violates: %s}\n", violates);
    else
        ob_buf_puts(out, "holds\n");
}

static void put_expectations(const struct ob_export_source *source, const char *invariant,
                             struct ob_buf *out)
{
    const struct ob_scenario *scenario = source->scenario;
    if (scenario->variant_count == 1 && strcmp(scenario->variants[0].name, "default") == 0) {
        ob_buf_puts(out, "expect: ");
        put_expectation(invariant, out);
        return;
    }
    ob_buf_puts(out, "expect:\n");
    for (size_t i = 0; i < scenario->variant_count; i++) {
        ob_buf_printf(out, "  %s: ", scenario->variants[i].name);
        put_expectation(i == source->variant ? invariant : scenario->variants[i].violates, out);
    }
}

enum ob_result ob_export_yaml(const struct ob_export_source *source, struct ob_buf *out,
                              struct ob_error *err)
{
    const struct ob_scenario *scenario = source->scenario;
    const char *invariant = scenario->invariants[source->item].name;
    struct ob_buf text;
    if (scenario->target == OB_TARGET_SPEC) {
        ob_error_set(err, OB_INPUT, "%s is a spec, and a scenario file cannot hold its steps",
                     scenario->name);
        ob_error_hint(err, "Export it with --as spec.");
        return OB_INPUT;
    }
    ob_buf_init(&text, OB_SCENARIO_SIZE_MAX + 1);
    enum ob_result result = read_text(scenario->file, &text, err);
    if (result == OB_OK) {
        ob_buf_printf(out,
                      "# One run of %s, %s, which breaks %s; \"overbook run\" plays it and no "
                      "other.\n",
                      scenario->name, scenario->variants[source->variant].name, invariant);
        copy_without(text.data, out);
        ob_buf_printf(out, "explore: {schedule: %s}\n", source->token);
        put_expectations(source, invariant, out);
    }
    ob_buf_clear(&text);
    return result;
}
