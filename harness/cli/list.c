/* list.c - overbook list: scenarios, their variants and what is expected of them. */
#include "cli/builtin.h"
#include "cli/cli.h"
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void print_variant(const struct ob_variant *variant, int width)
{
    printf("  %-*s  %s%s", width, variant->name,
           variant->violates ? "violates "
           : variant->any    ? OB_EXPECTED_ANY
                             : "holds",
           variant->violates ? variant->violates : "");
    if (variant->source[0] != '\0')
        printf(" (%s)", variant->source);
    putchar('\n');
}

static bool is_wanted(const struct ob_options *options, const struct ob_variant *variant)
{
    return !options->variant || strcmp(options->variant, variant->name) == 0;
}

/* One line for each variant, and nothing else. */
static void print_briefly(const struct ob_scenario *scenario, const struct ob_options *options,
                          int name_width, int variant_width)
{
    const char *name = scenario->name;
    for (size_t v = 0; v < scenario->variant_count; v++) {
        if (!is_wanted(options, &scenario->variants[v]))
            continue;
        printf("%-*s", name_width, name);
        print_variant(&scenario->variants[v], variant_width);
        name = "";
    }
}

static void print_scenario(const struct ob_scenario *scenario, const struct ob_options *options,
                           int variant_width)
{
    const struct ob_table_options how = {.unicode = ob_cli_unicode(),
                                         .width = ob_cli_width(STDOUT_FILENO)};
    struct ob_buf about;
    ob_buf_init(&about, SIZE_MAX);
    ob_report_wrapped(scenario->about, &how, 2, &about);
    printf("%s\n%s", scenario->name, about.size > 0 ? about.data : "");
    ob_buf_clear(&about);
    for (size_t v = 0; v < scenario->variant_count; v++)
        if (is_wanted(options, &scenario->variants[v]))
            print_variant(&scenario->variants[v], variant_width);
    if (options->verbosity > 0)
        printf("  %s\n", scenario->file);
}

int ob_command_list(int argc, char **argv)
{
    struct ob_options options;
    ob_options_parse(OB_COMMAND_LIST, argc, argv, &options);
    struct ob_scenario_list list = {0};
    struct ob_error err;
    enum ob_result result = ob_builtin_load(&options, options.args, options.arg_count, &list, &err);
    if (result == OB_OK)
        result = ob_builtin_check_variant(&list, &options, &err);
    if (result != OB_OK) {
        ob_scenario_list_clear(&list);
        return ob_cli_error(&err);
    }
    int name_width = widest(&list, false), variant_width = widest(&list, true);
    bool first = true;
    for (size_t i = 0; i < list.count; i++) {
        const struct ob_scenario *scenario = list.items[i];
        if (options.variant && ob_scenario_variant(scenario, options.variant) == SIZE_MAX)
            continue;
        if (options.verbosity < 0) {
            print_briefly(scenario, &options, name_width, variant_width);
            continue;
        }
        if (!first)
            putchar('\n');
        print_scenario(scenario, &options, variant_width);
        first = false;
    }
    ob_scenario_list_clear(&list);
    return ob_cli_finish(OB_EXIT_EXPECTED);
}
