/* exhaustive.c - every schedule, depth first. */
#include "explore/strategy_int.h"

#include "explore/path.h"
#include "explore/share.h"

struct exhaustive {
    struct ob_search search;
    struct ob_path path; /* its end is where the runs so far branch off */
};

static void clear(void *state)
{
    struct exhaustive *exhaustive = state;
    ob_path_clear(&exhaustive->path);
}

/* Goes back to the deepest choice that has an option left, and takes that. False: there is none. */
static bool backtrack(struct ob_path *path)
{
    while (path->count > 0) {
        struct ob_path_node *node = &path->nodes[path->count - 1];
        if (node->option + 1 < node->option_count) {
            node->option++;
            return true;
        }
        path->count--;
    }
    return false;
}

static bool next(void *state)
{
    struct exhaustive *exhaustive = state;
    struct ob_search *search = &exhaustive->search;
    if (search->run == 0)
        return true;
    if (!ob_path_settle(&exhaustive->path))
        search->changed = true;
    bool more = backtrack(&exhaustive->path);
    search->exhausted = !more && !search->changed;
    return more;
}

static void restart(void *state)
{
    struct exhaustive *exhaustive = state;
    exhaustive->path.depth = 0;
}

static size_t choose(void *state, const struct ob_choice_point *point)
{
    struct exhaustive *exhaustive = state;
    size_t option;
    if (!ob_path_choose(&exhaustive->path, point, &option))
        exhaustive->search.changed = true;
    return option;
}

static double share(const void *state)
{
    const struct ob_path *path = &((const struct exhaustive *)state)->path;
    struct ob_share done = ob_share_begin();
    for (size_t i = 0; i < path->depth && i < path->count; i++)
        ob_share_choice(&done, path->nodes[i].option, path->nodes[i].option_count);
    return ob_share_end(&done);
}

const struct ob_search_type ob_search_exhaustive = {.size = sizeof(struct exhaustive),
                                                    .is_tree = true,
                                                    .clear = clear,
                                                    .next = next,
                                                    .restart = restart,
                                                    .choose = choose,
                                                    .share = share};
