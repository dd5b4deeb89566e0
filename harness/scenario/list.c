/*
 * list.c - finding and loading scenario files, see ob_scenario_list_load.
 */
#include "scenario/rollout.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDERS_MAX 32 /* within each other */

struct finder {
    struct ob_scenario_list list;
    const char *const *invariants; /* for specs */
    size_t invariant_count;
    struct ob_error *err;
};

static enum ob_result add_path(struct finder *finder, const char *path, unsigned depth);

static enum ob_result refuse_twin(struct finder *finder, const struct ob_scenario *first,
                                  const struct ob_scenario *second)
{
    ob_error_set(finder->err, OB_INPUT, "there are two scenarios \"%s\"", first->name);
    ob_error_detail(finder->err, "%s and %s", first->file, second->file);
    ob_error_hint(finder->err, "rename one, or give each file once");
    return OB_INPUT;
}

/* The scenario is taken over. */
static enum ob_result add_scenario(struct finder *finder, struct ob_scenario *scenario)
{
    struct ob_scenario_list *list = &finder->list;
    list->items = ob_grow(list->items, &list->capacity, list->count + 1, sizeof(void *));
    list->items[list->count++] = scenario;
    for (size_t i = 0; i + 1 < list->count; i++) {
        if (strcmp(list->items[i]->name, scenario->name) == 0)
            return refuse_twin(finder, list->items[i], scenario);
    }
    return OB_OK;
}

/* A plan of a rollout is as many scenarios as it has traffics. */
static enum ob_result add_plan(struct finder *finder, const char *path, bool *is_plan)
{
    struct ob_rollout *rollout = NULL;
    enum ob_result result = ob_rollout_load(path, &rollout, finder->err);
    *is_plan = rollout != NULL;
    while (rollout && rollout->traffic.count > 0 && result == OB_OK) {
        result = add_scenario(finder, rollout->traffic.items[0]);
        memmove(rollout->traffic.items, rollout->traffic.items + 1,
                --rollout->traffic.count * sizeof(void *));
    }
    ob_rollout_free(rollout);
    return result;
}

static enum ob_result add_file(struct finder *finder, const char *path)
{
    struct ob_scenario *scenario;
    bool is_spec = ob_scenario_is_spec(path), is_plan = false;
    enum ob_result result = is_spec ? OB_OK : add_plan(finder, path, &is_plan);
    if (result != OB_OK || is_plan)
        return result;
    result = is_spec ? ob_scenario_load_spec(path, finder->invariants, finder->invariant_count,
                                             &scenario, finder->err)
                     : ob_scenario_load(path, &scenario, finder->err);
    return result == OB_OK ? add_scenario(finder, scenario) : result;
}

static bool is_scenario_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* The folder's own order is the file system's, and the locale's would differ between machines. */
static int compare_names(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* What a folder holds: folders (but no links to them, which could lead around in a circle) and
 * scenarios. */
static enum ob_result add_entry(struct finder *finder, const char *path, unsigned depth)
{
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return add_path(finder, path, depth);
    if (!is_scenario_name(path) || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return OB_OK;
    return add_file(finder, path);
}

static enum ob_result add_folder(struct finder *finder, const char *path, unsigned depth)
{
    struct dirent **entries;
    enum ob_result result = OB_OK;
    if (depth == FOLDERS_MAX) {
        ob_error_set(finder->err, OB_INPUT, "\"%s\" is more than %d folders deep", path,
                     FOLDERS_MAX);
        ob_error_hint(finder->err, "give a folder that is nearer to the scenarios");
        return OB_INPUT;
    }
    int count = scandir(path, &entries, is_visible, compare_names);
    if (count < 0) {
        ob_error_set(finder->err, OB_INPUT, "could not read \"%s\": %m", path);
        ob_error_hint(finder->err, "check the path");
        return OB_INPUT;
    }
    for (int i = 0; i < count; i++) {
        if (result == OB_OK) {
            char *entry = ob_asprintf("%s/%s", path, entries[i]->d_name);
            result = add_entry(finder, entry, depth + 1);
            free(entry);
        }
        free(entries[i]);
    }
    free(entries);
    return result;
}

static enum ob_result add_path(struct finder *finder, const char *path, unsigned depth)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return add_folder(finder, path, depth);
    return add_file(finder, path);
}

/* One of the paths that the caller gave: it must lead to something. */
static enum ob_result add_given_path(struct finder *finder, const char *path)
{
    size_t before = finder->list.count;
    enum ob_result result = add_path(finder, path, 0);
    if (result == OB_OK && finder->list.count == before) {
        result = ob_error_set(finder->err, OB_INPUT, "no scenario below \"%s\"", path);
        ob_error_detail(finder->err, "scenarios are files named *.yaml or *.yml");
        ob_error_hint(finder->err, "check the path");
    }
    return result;
}

enum ob_result ob_scenario_list_load(const char *const *paths, size_t path_count,
                                     struct ob_scenario_list *out, struct ob_error *err)
{
    return ob_scenario_list_load_with(paths, path_count, NULL, 0, out, err);
}

enum ob_result ob_scenario_list_load_with(const char *const *paths, size_t path_count,
                                          const char *const *invariants, size_t invariant_count,
                                          struct ob_scenario_list *out, struct ob_error *err)
{
    struct finder finder = {
        .invariants = invariants, .invariant_count = invariant_count, .err = err};
    enum ob_result result = OB_OK;
    for (size_t i = 0; i < path_count && result == OB_OK; i++)
        result = add_given_path(&finder, paths[i]);
    if (result == OB_OK)
        *out = finder.list;
    else
        ob_scenario_list_clear(&finder.list);
    return result;
}

void ob_scenario_list_clear(struct ob_scenario_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        ob_scenario_free(list->items[i]);
    free(list->items);
    *list = (struct ob_scenario_list){0};
}
