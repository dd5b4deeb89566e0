#include "golden_model.h"

static enum ob_result reset(void *self, struct ob_error *err)
{
    struct ob_golden_model *model = self;
    (void)err;
    ob_model_reset(model->model);
    return OB_OK;
}

static enum ob_result digest(void *self, uint64_t *out, struct ob_error *err)
{
    struct ob_golden_model *model = self;
    (void)err;
    *out = ob_model_digest(model->model);
    return OB_OK;
}

void ob_golden_model_open(struct ob_golden_model *model, const struct ob_golden *golden,
                          uint64_t jitter_seed)
{
    struct ob_model_options options = {
        .session_count = 3, .jitter_seed = jitter_seed, .tells = true};
    model->model = ob_model_new(&options);
    if (golden->row[0] != '\0')
        ob_model_put(model->model, golden->row, 10);
    for (char row[] = "c0"; row[1] < '3'; row[1]++)
        ob_model_put(model->model, row, 0);
    struct ob_ports ports = ob_model_ports(model->model);
    struct ob_limits limits = ob_limits_default();
    model->place = (struct ob_golden_place){
        .engine = ob_engine_new(&ports, &limits),
        .self = model,
        .reset = reset,
        .digest = digest,
        .value = ob_model_result_value,
        .free_result = ob_model_result_free,
    };
}

size_t ob_golden_model_close(struct ob_golden_model *model)
{
    size_t alive = ob_model_results_alive(model->model);
    ob_engine_free(model->place.engine);
    ob_model_free(model->model);
    return alive;
}
