/* read_matrix.c - a matrix of a stored result. */
#include "read_int.h"

#include <string.h>

static const char *const *read_texts(struct ob_reader *r, const json_t *object, const char *key,
                                     size_t *count)
{
    const json_t *array = ob_read_array(r, object, key);
    *count = json_array_size(array);
    const char **texts = ob_arena_alloc(&r->report->arena, *count * sizeof *texts);
    for (size_t i = 0; i < *count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text)
            ob_read_refuse(r, key, "a list of texts");
        texts[i] = ob_arena_strdup(&r->report->arena, text ? text : "");
    }
    return texts;
}

static size_t find(struct ob_reader *r, const json_t *object, const char *key,
                   const char *const *texts, size_t count)
{
    const char *text = ob_read_text(r, object, key);
    for (size_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return i;
    ob_read_refuse(r, key, "one of the matrix's");
    return 0;
}

static size_t find_row(struct ob_reader *r, const json_t *object,
                       const struct ob_report_matrix *matrix)
{
    const char *name = ob_read_text(r, object, "cure");
    for (size_t i = 0; i < matrix->row_count; i++)
        if (strcmp(matrix->rows[i].name, name) == 0)
            return i;
    ob_read_refuse(r, "cure", "one of the matrix's");
    return 0;
}

static void read_cell(struct ob_reader *r, const json_t *object,
                      const struct ob_report_matrix *matrix, struct ob_report_matrix_cell *out)
{
    *out = (struct ob_report_matrix_cell){
        .row = find_row(r, object, matrix),
        .level = find(r, object, "level", matrix->levels, matrix->level_count),
        .setting = find(r, object, "setting", matrix->settings, matrix->setting_count),
        .retries = ob_read_bool(r, object, "retries"),
        .verdict = ob_read_text(r, object, "verdict"),
        .breaks = ob_read_text(r, object, "breaks"),
        .claim = ob_read_text(r, object, "claim"),
        .why = ob_read_text(r, object, "why"),
        .on_schedule = ob_read_text(r, object, "on_schedule"),
        .in_exploration = ob_read_text(r, object, "in_exploration"),
        .runs = ob_read_count(r, object, "runs"),
        .trace = ob_read_text(r, object, "trace"),
    };
}

const struct ob_report_matrix *ob_read_matrix(struct ob_reader *r, const json_t *object)
{
    struct ob_arena *arena = &r->report->arena;
    struct ob_report_matrix *out = ob_arena_alloc(arena, sizeof *out);
    const json_t *rows = ob_read_array(r, object, "cures");
    const json_t *cells = ob_read_array(r, object, "cells");
    out->invariant = ob_read_text(r, object, "invariant");
    out->levels = read_texts(r, object, "levels", &out->level_count);
    out->settings = read_texts(r, object, "settings", &out->setting_count);
    out->rows = ob_arena_alloc(arena, json_array_size(rows) * sizeof *out->rows);
    for (; out->row_count < json_array_size(rows) && !r->failed; out->row_count++) {
        const json_t *row = json_array_get(rows, out->row_count);
        out->rows[out->row_count] = (struct ob_report_matrix_row){
            .name = ob_read_text(r, row, "name"),
            .what = ob_read_text(r, row, "what"),
            .change = ob_read_text(r, row, "change"),
        };
    }
    out->cells = ob_arena_alloc(arena, json_array_size(cells) * sizeof *out->cells);
    for (; out->cell_count < json_array_size(cells) && !r->failed; out->cell_count++)
        read_cell(r, json_array_get(cells, out->cell_count), out, &out->cells[out->cell_count]);
    return out;
}
