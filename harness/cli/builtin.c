#include "cli/builtin.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/parse.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of this program; the caller's to free. */
static char *program_folder(void)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0)
        return ob_strdup(".");
    path[size] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return ob_strdup(path);
}

/* The first of these that there is, as seen from the program's folder; the caller's to free, NULL
 * when there is none. */
static char *find_beside(const char *const *beside, size_t count)
{
    char *program = program_folder(), *found = NULL;
    for (size_t i = 0; i < count && !found; i++) {
        char *path = ob_asprintf("%s/%s", program, beside[i]), *real = realpath(path, NULL);
        found = real ? ob_strdup(real) : NULL;
        free(real);
        free(path);
    }
    free(program);
    return found;
}

char *ob_builtin_folder(void)
{
    static const char *const beside[] = {"../share/overbook/scenarios", "../../scenarios"};
    const char *named = getenv("OVERBOOK_SCENARIOS");
    return named && named[0] != '\0' ? ob_strdup(named)
                                     : find_beside(beside, sizeof beside / sizeof *beside);
}

char *ob_builtin_plan(void)
{
    static const char *const beside[] = {"../share/overbook/rollout.yaml",
                                         "../../reference/rollout.yaml"};
    return find_beside(beside, sizeof beside / sizeof *beside);
}

/* A scenario has its invariants in its file. */
static enum ob_result check_invariants(const struct ob_options *options, char *const *paths,
                                       size_t count, struct ob_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (ob_scenario_is_spec(paths[i]))
            return OB_OK;
    if (options->invariant_count == 0)
        return OB_OK;
    ob_error_set(err, OB_USAGE, "--invariant is for specs, and none is named");
    ob_error_hint(err, "Name a spec, or write the invariant into the scenario's file.");
    return OB_USAGE;
}

enum ob_result ob_builtin_load(const struct ob_options *options, char *const *paths, size_t count,
                               struct ob_scenario_list *out, struct ob_error *err)
{
    enum ob_result result = check_invariants(options, paths, count, err);
    if (result != OB_OK)
        return result;
    if (count > 0)
        return ob_scenario_list_load_with((const char *const *)paths, count, options->invariants,
                                          options->invariant_count, out, err);
    char *folder = ob_builtin_folder();
    if (!folder) {
        ob_error_set(err, OB_USAGE, "the built-in scenarios were not found");
        ob_error_hint(err, "Name a scenario file or folder, or set OVERBOOK_SCENARIOS.");
        return OB_USAGE;
    }
    const char *const only[] = {folder};
    result = ob_scenario_list_load(only, 1, out, err);
    free(folder);
    return result;
}

enum ob_result ob_builtin_check_variant(const struct ob_scenario_list *list,
                                        const struct ob_options *options, struct ob_error *err)
{
    const char *variant = options->variant;
    if (!variant)
        return OB_OK;
    const char *names[256];
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct ob_scenario *scenario = list->items[i];
        if (ob_scenario_variant(scenario, variant) != SIZE_MAX)
            return OB_OK;
        for (size_t v = 0; v < scenario->variant_count && count < 256; v++)
            names[count++] = scenario->variants[v].name;
    }
    ob_error_set(err, OB_USAGE, "no scenario has a variant \"%s\"", variant);
    const char *nearest = ob_parse_nearest(variant, names, count);
    if (nearest) {
        ob_error_hint(err, "Did you mean \"%s\"?", nearest);
        return OB_USAGE;
    }
    struct ob_buf command;
    ob_buf_init(&command, SIZE_MAX);
    ob_buf_puts(&command, "overbook list");
    for (size_t i = 0; i < options->arg_count; i++)
        ob_buf_printf(&command, " %s", options->args[i]);
    ob_error_hint(err, "\"%s\" shows them.", command.data);
    ob_buf_clear(&command);
    return OB_USAGE;
}
