/*
 * probe.c - what the probe costs a session that asks nothing of it: PostgreSQL's own pgbench, whose
 * session loads the probe or does not, by turns on one server.
 */
#include "bench.h"

#include "base/alloc.h"
#include "cli/database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 30
#define LINE_LENGTH 512

/* What a command of pgbench's says of transactions a second; the connection is not counted. */
static double tell(const char *arguments)
{
    char line[LINE_LENGTH];
    double tps = 0;
    char *command = ob_asprintf("pgbench %s \"$CONNINFO\" 2>/dev/null", arguments);
    FILE *out = popen(command, "r");
    while (out && fgets(line, sizeof line, out))
        if (strncmp(line, "tps = ", 6) == 0)
            tps = strtod(line + 6, NULL);
    if (!out || pclose(out) != 0) {
        fprintf(stderr, "overbook-bench: \"%s\" failed\n", command);
        exit(3);
    }
    free(command);
    return tps;
}

/* The server's own settings load the probe. */
static double play(const char *script, const char *pgoptions)
{
    char *arguments = ob_asprintf("-n -M prepared -T 1 -b %s", script);
    setenv("PGOPTIONS", pgoptions, 1);
    double tps = tell(arguments);
    unsetenv("PGOPTIONS");
    free(arguments);
    return tps;
}

/* The third plays without it too: how far the second and the third are from each other is what the
 * machine's noise makes of nothing.  Each comes first, second and last as often. */
static void compare(json_t *figures, const char *script, const char *name)
{
    static const char *const without = "-c session_preload_libraries=";
    double sums[3] = {0};
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t k = 0; k < 3; k++) {
            size_t who = (i + k) % 3;
            sums[who] += play(script, who == 0 ? "" : without);
        }
    char *title = ob_asprintf("pgbench, %s: with the probe against without it", name);
    ob_bench_report(figures, title, "1/s", sums[0] / ROUNDS, (sums[1] + sums[2]) / 2 / ROUNDS);
    free(title);
    title = ob_asprintf("pgbench, %s: without it against without it", name);
    ob_bench_report(figures, title, "1/s", sums[1] / ROUNDS, sums[2] / ROUNDS);
    free(title);
}

void ob_bench_probe(json_t *figures)
{
    const struct ob_options options = {0};
    struct ob_server *server = NULL;
    char *conninfo = NULL;
    struct ob_error err;
    ob_bench_must(ob_server_open(&options, &server, &err), &err);
    ob_bench_must(ob_server_create_database(server, NULL, &conninfo, &err), &err);
    setenv("CONNINFO", conninfo, 1);
    (void)tell("-i -q");
    compare(figures, "select-only", "a look-up");
    compare(figures, "tpcb-like", "five writes");
    unsetenv("CONNINFO");
    free(conninfo);
    ob_bench_must(ob_server_drop_database(server, OB_OK, &err), &err);
    ob_server_close(server);
}
