#include "subject.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static void load(const char *file, struct ob_scenario **out)
{
    struct ob_error err;
    enum ob_result result = ob_scenario_is_spec(file)
                                ? ob_scenario_load_spec(file, NULL, 0, out, &err)
                                : ob_scenario_load(file, out, &err);
    ob_bench_must(result, &err);
}

void ob_subject_open(struct ob_subject *subject, struct ob_server *server, const char *file)
{
    struct ob_error err;
    struct ob_target_options options = {
        .limits = ob_limits_default(), .fixed_plans = true, .own_server = true};
    *subject = (struct ob_subject){.server = server};
    load(file, &subject->scenario);
    ob_bench_must(ob_server_create_database(server, NULL, &subject->conninfo, &err), &err);
    options.conninfo = subject->conninfo;
    ob_bench_must(ob_target_open(subject->scenario, 0, &options, &subject->target, &err), &err);
    subject->rig = ob_target_rig(subject->target);
}

void ob_subject_close(struct ob_subject *subject)
{
    struct ob_error err;
    ob_target_close(subject->target);
    ob_bench_must(ob_server_drop_database(subject->server, OB_OK, &err), &err);
    ob_scenario_free(subject->scenario);
    free(subject->conninfo);
}

bool ob_subject_run(const struct ob_subject *subject, struct ob_strategy *strategy, uint64_t number,
                    struct ob_trace *trace)
{
    struct ob_error err;
    struct ob_rig *rig = subject->rig;
    struct ob_run_spec spec = rig->spec;
    if (!ob_strategy_next(strategy, number))
        return false;
    spec.chooser = ob_strategy_chooser(strategy);
    ob_bench_must(rig->reset(rig->self, &err), &err);
    ob_bench_must(ob_engine_run(rig->engine, &spec, trace, &err), &err);
    if (trace->end != OB_RUN_FINISHED) {
        fprintf(stderr, "overbook-bench: a run did not finish: %s\n", trace->reason);
        exit(3);
    }
    return true;
}
