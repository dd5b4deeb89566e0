/* golden_model.h - the programs of golden.h on the model. */
#ifndef OB_TESTS_GOLDEN_MODEL_H
#define OB_TESTS_GOLDEN_MODEL_H

#include "golden.h"
#include "model.h"

struct ob_golden_model {
    struct ob_model *model;
    struct ob_golden_place place;
};

void ob_golden_model_open(struct ob_golden_model *model, const struct ob_golden *golden,
                          uint64_t jitter_seed);

/* How many results were never freed. */
size_t ob_golden_model_close(struct ob_golden_model *model);

#endif
