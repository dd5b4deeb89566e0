/*
 * cluster.h - freshly initialised clusters, and the cache that makes them cheap.
 *
 * initdb takes seconds, a copy some ten milliseconds.  So the first cluster made for a server
 * version and set of initdb options is kept under $XDG_CACHE_HOME/overbook, ~/.cache/overbook or,
 * where neither is ours to write, $TMPDIR/overbook-cache-UID, in a directory named for version and
 * options.  Beside it a stamp holds a digest over every file, checked by each copy: a cache that is
 * damaged, or was made by another version, is made anew by itself.  Nobody ever waits for another
 * overbook: the cache is read under a shared lock and written under an exclusive one, and whoever
 * cannot have the lock makes a cluster of its own.  The cache may be deleted at any time.
 */
#ifndef OB_PG_CLUSTER_H
#define OB_PG_CLUSTER_H

#include "base/error.h"
#include "pg/find.h"
#include "pg/keeper.h"

#include <stdbool.h>

#define OB_PG_SUPERUSER "overbook"

struct ob_pg_cluster_origin {
    bool cached;
    char note[320]; /* "", or why a new cluster could not be put into the cache */
};

/* Makes the data directory of the keeper's home, from the cache or by initdb, and hands the home
 * over. */
OB_MUSTCHECK enum ob_result ob_pg_cluster_fill(const struct ob_pg_install *install,
                                               struct ob_pg_keeper *keeper,
                                               struct ob_pg_cluster_origin *origin,
                                               struct ob_error *err);

/* The directory of the cache, made if need be; the caller's to free.  OB_IO when there is none. */
OB_MUSTCHECK enum ob_result ob_pg_cluster_cache_dir(char **out, struct ob_error *err);

#endif
