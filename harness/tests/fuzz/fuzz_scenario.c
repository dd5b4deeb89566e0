/*
 * libFuzzer: any bytes load as a scenario that keeps the promises of scenario.h, or are refused in
 * full form.
 */
#include "scenario/scenario.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_client(const struct ob_scenario *scenario,
                         const struct ob_scenario_client *client)
{
    uint64_t all = UINT64_MAX >> (OB_SCENARIO_VARIANTS_MAX - scenario->variant_count);
    assert(client->variants != 0 && (client->variants & ~all) == 0);
    assert((client->action_count > 0) == (scenario->target == OB_TARGET_REFERENCE));
    assert((client->step_count > 0) == (scenario->target == OB_TARGET_SQL));
    for (size_t i = 0; i < client->action_count; i++) {
        const struct ob_action *action = &client->actions[i];
        const struct ob_setting *of =
            ob_setting_find(action->settings, action->setting_count, "of");
        assert(!of || (uint64_t)of->number < scenario->client_count + scenario->guest_count);
    }
    for (size_t i = 0; i < client->step_count; i++) {
        const struct ob_sql_step *step = &client->steps[i];
        assert(step->variants != 0 && (step->variants & ~client->variants) == 0);
        assert((step->sql != NULL) == (step->kind == OB_SQL_STATEMENT));
        assert((step->event_data != NULL) == (step->kind == OB_SQL_EVENT));
        assert(step->variable_count <= OB_SCENARIO_VARIABLES_MAX);
    }
}

static void check_scenario(const struct ob_scenario *scenario)
{
    assert(scenario->name[0] != '\0' && scenario->about[0] != '\0');
    assert(scenario->client_count >= 1 && scenario->client_count <= OB_SCENARIO_CLIENTS_MAX);
    assert(scenario->variant_count >= 1 && scenario->variant_count <= OB_SCENARIO_VARIANTS_MAX);
    assert(scenario->invariant_count >= 1);
    assert((scenario->fault_budget > 0) == (scenario->fault_point_count > 0));
    for (size_t i = 0; i < scenario->client_count; i++)
        check_client(scenario, &scenario->clients[i]);
    for (size_t i = 0; i < scenario->variant_count; i++)
        assert(ob_scenario_variant(scenario, scenario->variants[i].name) == i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ob_error err;
    struct ob_scenario *scenario;
    if (ob_scenario_parse("x", (const char *)data, size, &scenario, &err) == OB_OK) {
        check_scenario(scenario);
        ob_scenario_free(scenario);
    } else {
        assert(err.code == OB_INPUT && strncmp(err.message, "x:", 2) == 0 && err.hint[0] != '\0');
    }
    return 0;
}
