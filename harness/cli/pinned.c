#include "cli/pinned.h"

bool ob_pinned_is(const struct ob_options *options, const struct ob_scenario *scenario)
{
    return scenario->explore.schedule[0] != '\0' && !options->strategy_given;
}

enum ob_result ob_pinned_read(const struct ob_scenario *scenario, struct ob_token *out,
                              struct ob_error *err)
{
    struct ob_token token = {0};
    enum ob_result result = ob_token_decode(scenario->explore.schedule, &token, err);
    if (result == OB_OK && token.variant >= scenario->variant_count) {
        ob_token_clear(&token);
        result = ob_error_set(err, OB_INPUT, "the token is of a variant that is not there");
        ob_error_hint(err, "Keep the variants of the scenario that it was recorded of.");
    }
    if (result != OB_OK) {
        ob_error_context(err, "%s: \"schedule\" cannot be followed", scenario->file);
        return err->code = OB_INPUT;
    }
    *out = token;
    return OB_OK;
}

/* Where it cannot be read no variant is skipped, and each will say why. */
bool ob_pinned_skips(const struct ob_options *options, const struct ob_scenario *scenario,
                     size_t variant)
{
    struct ob_token token;
    struct ob_error ignored;
    if (!ob_pinned_is(options, scenario) || ob_pinned_read(scenario, &token, &ignored) != OB_OK)
        return false;
    bool skips = token.variant != variant;
    ob_token_clear(&token);
    return skips;
}
