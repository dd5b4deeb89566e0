/*
 * sound.h - whether dpor loses anything: a scene's outcomes under all its schedules, and under
 * those that dpor runs.
 */
#ifndef OB_TESTS_SOUND_H
#define OB_TESTS_SOUND_H

#include "scene.h"

#define OB_SOUND_CLIENTS 3
#define OB_SOUND_LINES_MAX 7
#define OB_SOUND_LINE_SIZE 160

/* What the clients of a scene do. */
struct ob_sound_program {
    size_t client_count;
    char text[OB_SOUND_CLIENTS][OB_SOUND_LINES_MAX][OB_SOUND_LINE_SIZE];
    const char *lines[OB_SOUND_CLIENTS][OB_SOUND_LINES_MAX + 1]; /* each ends with NULL */
};

struct ob_sound {
    struct ob_scene *scene;
    void *self;
    uint64_t (*digest)(void *self); /* of the final state */
    uint64_t runs_max;              /* programs of more schedules are left out */

    /* Counted. */
    uint64_t compared, schedules, reduced, cut_short, lost;
};

/* On a scene without clients: gives it OB_SOUND_CLIENTS of them. */
void ob_sound_begin(struct ob_sound *sound);

/* Programs made by lot, with the seeds from 1 to count; prints how many there were. */
void ob_sound_by_lot(struct ob_sound *sound, uint64_t count,
                     void (*write)(struct ob_sound_program *program, uint64_t seed));

/* A program that loses an outcome, or shows one that is none, is printed.  False: it has too many
 * schedules. */
bool ob_sound_compare(struct ob_sound *sound, const struct ob_sound_program *program,
                      const char *name);

#endif
