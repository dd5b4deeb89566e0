/*
 * tree.h - directory trees of a cluster: copied with a digest of what was copied, removed, written.
 */
#ifndef OB_PG_TREE_H
#define OB_PG_TREE_H

#include "base/error.h"
#include "pg/account.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies the directories and regular files of from to the new directory to (modes 0700 and
 * 0600), gives them to owner when that is not ourselves, and puts into *digest a hash over every
 * name and content, in a fixed order.  owner gets each directory only when it is complete, so
 * that nobody but this process can interfere.  On failure what was copied so far is left.
 * OB_INPUT when from is not whole, OB_IO when to cannot be written (the hint says what to do
 * when it is full). */
OB_MUSTCHECK enum ob_result ob_pg_tree_copy(const char *from, const char *to,
                                            const struct ob_pg_account *owner, uint64_t *digest,
                                            struct ob_error *err);

/* Removes path and all below it, following no symbolic link.  False when something is left. */
bool ob_pg_tree_remove(const char *path);

/* Writes a new file of mode 0600 or replaces the content of an old one; follows no symbolic
 * link. */
OB_MUSTCHECK enum ob_result ob_pg_tree_write(const char *path, const char *text,
                                             struct ob_error *err);

/* Reads the file's last size - 1 bytes, or all when it is smaller, and ends them with a NUL.
 * False, and "" in text, when it cannot be read. */
bool ob_pg_tree_read_end(const char *path, char *text, size_t size);

#endif
