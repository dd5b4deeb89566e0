/*
 * peer.h - PostgreSQL's isolationtester, which plays specs too.
 */
#ifndef OB_BENCH_PEER_H
#define OB_BENCH_PEER_H

/* The program, of $OVERBOOK_ISOLATIONTESTER or beside the server that is used; NULL, which is said,
 * where it is not installed.  The caller's to free. */
char *ob_peer_find(void);

/* Lets it play a spec, as a process of its own, as its driver does, and throws away what it prints.
 * The seconds that it took. */
double ob_peer_run(const char *tester, const char *conninfo, const char *spec);

#endif
