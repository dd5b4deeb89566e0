/* json_matrix.c - a matrix in the JSON result. */
#include "json_int.h"

static json_t *texts_json(struct ob_json_builder *b, const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        ob_json_append(b, array, ob_json_text(b, texts[i]));
    return array;
}

static json_t *cell_json(struct ob_json_builder *b, const struct ob_report_matrix *matrix,
                         const struct ob_report_matrix_cell *cell)
{
    json_t *object = json_object();
    ob_json_put_text(b, object, "cure", matrix->rows[cell->row].name);
    ob_json_put_text(b, object, "level", matrix->levels[cell->level]);
    ob_json_put_text(b, object, "setting", matrix->settings[cell->setting]);
    ob_json_put_bool(b, object, "retries", cell->retries);
    ob_json_put_text(b, object, "verdict", cell->verdict);
    ob_json_put_text(b, object, "breaks", cell->breaks);
    ob_json_put_text(b, object, "claim", cell->claim);
    ob_json_put_text(b, object, "why", cell->why);
    ob_json_put_text(b, object, "on_schedule", cell->on_schedule);
    ob_json_put_text(b, object, "in_exploration", cell->in_exploration);
    ob_json_put_count(b, object, "runs", cell->runs);
    ob_json_put_text(b, object, "trace", cell->trace);
    return object;
}

json_t *ob_json_matrix(struct ob_json_builder *b, const struct ob_report_matrix *matrix)
{
    json_t *object = json_object(), *rows = json_array(), *cells = json_array();
    for (size_t i = 0; i < matrix->row_count; i++) {
        json_t *row = json_object();
        ob_json_put_text(b, row, "name", matrix->rows[i].name);
        ob_json_put_text(b, row, "what", matrix->rows[i].what);
        ob_json_put_text(b, row, "change", matrix->rows[i].change);
        ob_json_append(b, rows, row);
    }
    for (size_t i = 0; i < matrix->cell_count; i++)
        ob_json_append(b, cells, cell_json(b, matrix, &matrix->cells[i]));
    ob_json_put_text(b, object, "invariant", matrix->invariant);
    ob_json_put(b, object, "levels", texts_json(b, matrix->levels, matrix->level_count));
    ob_json_put(b, object, "settings", texts_json(b, matrix->settings, matrix->setting_count));
    ob_json_put(b, object, "cures", rows);
    ob_json_put(b, object, "cells", cells);
    return object;
}
