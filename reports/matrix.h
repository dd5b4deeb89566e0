/*
 * matrix.h - what a variant that breaks an invariant comes to with each cure, and without one, at
 * each isolation level and with each of some settings of its sessions; a part of a result
 * (report.h).
 *
 * All texts are owned by the report's arena.
 */
#ifndef OB_REPORTS_MATRIX_H
#define OB_REPORTS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ob_report_matrix_row {
    const char *name;
    const char *what;   /* is done, in one sentence */
    const char *change; /* the SQL, or the change as text */
};

struct ob_report_matrix_cell {
    size_t row, level, setting;
    bool retries;        /* the clients begin again after 40001 and 40P01 */
    const char *verdict; /* a word, "holds" where nothing is wrong */
    const char *breaks;  /* the invariant, also another one than the matrix's; "" */
    const char *claim;   /* where it holds and all was tried: which all; "" */
    const char *why;     /* more about the verdict; "" */
    const char *on_schedule, *in_exploration; /* as of a cure (report.h) */
    uint64_t runs;                            /* of the exploration */
    const char *trace; /* of a run that breaks the matrix's invariant, as text; "" */
};

struct ob_report_matrix {
    const char *invariant;     /* that the variant breaks */
    const char *const *levels; /* by their names */
    size_t level_count;
    const char *const *settings; /* "NAME=VALUE"; "" the server's own */
    size_t setting_count;
    struct ob_report_matrix_row *rows; /* the first is no cure */
    size_t row_count;
    /* One with retries may follow one without, of the same row, level and setting, whose
     * clients failed.  Fewer than there are when the user interrupts. */
    struct ob_report_matrix_cell *cells;
    size_t cell_count;
};

/* The cell of that place, with retries if there is one with them; NULL: it was not tried. */
const struct ob_report_matrix_cell *ob_report_matrix_at(const struct ob_report_matrix *matrix,
                                                        size_t row, size_t level, size_t setting);

#endif
