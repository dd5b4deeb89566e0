/* list.c - overbook list: scenarios, their variants and what is expected of them. */
#include "cli/builtin.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static int widest(const struct ob_scenario_list *list, bool variants)
{
    size_t width = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct ob_scenario *scenario = list->items[i];
        for (size_t v = 0; v < scenario->variant_count; v++) {
            size_t size = strlen(variants ? scenario->variants[v].name : scenario->name);
            width = size > width ? size : width;
        }
    }
    return (int)width;
}

static void print_scenario(const struct ob_scenario *scenario, const struct ob_options *options,
                           int name_width, int variant_width)
{
    bool first = true;
    for (size_t v = 0; v < scenario->variant_count; v++) {
        const struct ob_variant *variant = &scenario->variants[v];
        if (options->variant && strcmp(options->variant, variant->name) != 0)
            continue;
        printf("%-*s  %-*s  %s%s\n", name_width, first ? scenario->name : "", variant_width,
               variant->name, variant->violates ? "violates " : "holds",
               variant->violates ? variant->violates : "");
        first = false;
    }
    if (first || options->verbosity < 0)
        return;
    printf("%-*s  %s\n", name_width, "", scenario->about);
    if (options->verbosity > 0)
        printf("%-*s  %s\n", name_width, "", scenario->file);
}

int ob_command_list(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_LIST, argc, argv, &options);
    struct ob_scenario_list list = {0};
    struct ob_error err;
    enum ob_result result = ob_builtin_load(options.args, options.arg_count, &list, &err);
    if (result == OB_OK)
        result = ob_builtin_check_variant(&list, options.variant, &err);
    if (result != OB_OK) {
        ob_scenario_list_clear(&list);
        return ob_cli_error(&err);
    }
    int name_width = widest(&list, false), variant_width = widest(&list, true);
    for (size_t i = 0; i < list.count; i++)
        print_scenario(list.items[i], &options, name_width, variant_width);
    ob_scenario_list_clear(&list);
    return ob_cli_finish(OB_EXIT_EXPECTED);
}
