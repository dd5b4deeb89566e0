/*
 * race_classes.h - small programs of every class of race that bookings have, for comparing what a
 * strategy reaches with all there is.
 */
#ifndef OB_TESTS_RACE_CLASSES_H
#define OB_TESTS_RACE_CLASSES_H

#include "tests/model/sound.h"

struct ob_race_class {
    const char *name; /* "a: two look, then both book" */
    struct ob_sound_program program;
};

extern const char ob_race_classes_schema[];
extern const struct ob_race_class ob_race_classes[];
extern const size_t ob_race_class_count;

#endif
