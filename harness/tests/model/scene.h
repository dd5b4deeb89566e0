/*
 * scene.h - clients that follow a script, on the model or on a live server: a test in a few lines.
 *
 * A line of a script is one operation:
 *     begin …, commit …, rollback …, kill
 *     call WORDS               something outside the database
 *     clock N                  sets the virtual clock, in microseconds
 *     wait N, wait never       until a time has come, or what can't; "wait flag": until scene->flag
 *     raise                    sets scene->flag, between two operations
 *     fault N                  reaches a fault point, and says in an event which way it fails
 *     say WORDS                an event of kind "says"
 *     fail WORDS               the client cannot go on, and so the run; the script's last line
 *     spin                     never comes back to the engine
 *     spin when stopped        at the script's end: so does a client that is told to stop
 *     loosely STATEMENT        one that need not be settled
 *     hastily STATEMENT        one that frees locks and goes on
 *     anything else            a statement: the model's (model.h), or SQL
 * What each operation came to is said in an event of kind "told" where it was lost, never or
 * failed.
 */
#ifndef OB_TESTS_SCENE_H
#define OB_TESTS_SCENE_H

#include "engine/run.h"
#include "explore/follower.h"
#include "model.h"

struct ob_scene;

struct ob_scene_client {
    struct ob_scene *scene;
    const char *const *lines; /* ends with NULL */
};

/* Where a scene plays. */
struct ob_scene_place {
    void *self;
    enum ob_result (*reset)(void *self, struct ob_error *err);
    void (*release)(void *native);
};

struct ob_scene {
    struct ob_scene_place place;
    struct ob_model *model; /* NULL on a live server */
    struct ob_engine *engine;
    struct ob_trace trace;
    struct ob_run_spec spec; /* a test may fill in what is not the scene's */
    struct ob_error err;

    struct ob_run_client clients[OB_CLIENTS_MAX];
    struct ob_scene_client scripts[OB_CLIENTS_MAX];
    const char *names[OB_CLIENTS_MAX];
    bool flag;
    struct ob_buf text; /* of the last run's trace */

    struct ob_schedule schedule;
    struct ob_follower follower;
};

/* On a model of its own, with these options; limits may be NULL. */
void ob_scene_open(struct ob_scene *scene, struct ob_model_options options,
                   const struct ob_limits *limits);
/* Somewhere else. */
void ob_scene_open_at(struct ob_scene *scene, struct ob_scene_place place,
                      const struct ob_ports *ports, const struct ob_limits *limits);
void ob_scene_close(struct ob_scene *scene);

/* lines are borrowed for the scene's life. */
void ob_scene_add(struct ob_scene *scene, const char *name, const char *const *lines);
#define OB_SCENE_ADD(scene, name, ...)                                \
    do {                                                              \
        static const char *const scene_lines[] = {__VA_ARGS__, NULL}; \
        ob_scene_add(scene, name, scene_lines);                       \
    } while (0)

/* Resets the place and runs, the steps going to the clients with these numbers ("0110"), and then
 * to the first that can move.  Numbers after a "/" say who goes on where several of the waiting
 * could. */
enum ob_result ob_scene_run(struct ob_scene *scene, const char *clients);

/* The same under a chooser of the caller's; made again with care where the engine asks for it. */
enum ob_result ob_scene_choose(struct ob_scene *scene, struct ob_chooser chooser);

/* The last run's trace as text, for reading or exact. */
const char *ob_scene_text(struct ob_scene *scene, bool exact);

#endif
