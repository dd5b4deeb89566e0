/*
 * server.c - see server.h.  Starting is: a home and its keeper, a cluster in it, postgresql.conf,
 * postgres, and waiting for postmaster.pid to say "ready", woken by each change in the data
 * directory.
 */
#include "pg/server.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "pg/clock.h"
#include "pg/cluster.h"
#include "pg/conninfo.h"
#include "pg/keeper.h"
#include "pg/pidfile.h"
#include "pg/probe.h"
#include "pg/tree.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define START_MS_MAX 60000
#define CONNECTIONS_DEFAULT 100
#define CONF_SIZE_MAX (256u << 10)
#define TICK_MS 20 /* between two looks where the system gives us no inotify instance */

struct ob_pg_server {
    struct ob_pg_keeper keeper;
    struct ob_pg_install install;
    struct ob_pg_server_start start;
    char *probe; /* the file of the module that it loads; owned; NULL: none */
    pid_t postmaster;
};

/* Nothing here is worth a disk's time; nothing may happen on its own; plans must not vary. */
static const struct ob_pg_setting own_settings[] = {
    /* durability */
    {"fsync", "off"},
    {"synchronous_commit", "off"},
    {"full_page_writes", "off"},
    {"wal_level", "minimal"},
    {"max_wal_senders", "0"},
    {"wal_init_zero", "off"},
    {"min_wal_size", "32MB"},
    {"max_wal_size", "256MB"},
    {"checkpoint_timeout", "1d"},
    {"checkpoint_flush_after", "0"},
    {"log_checkpoints", "off"},
    /* what would move by itself */
    {"autovacuum", "off"},
    {"bgwriter_lru_maxpages", "0"},
    {"bgwriter_delay", "10s"},
    {"wal_writer_delay", "10s"},
    {"max_logical_replication_workers", "0"},
    {"max_parallel_workers", "0"},
    {"max_parallel_workers_per_gather", "0"},
    {"max_parallel_maintenance_workers", "0"},
    {"restart_after_crash", "off"},
    {"deadlock_timeout", "1h"},
    /* plans and texts */
    {"jit", "off"},
    {"synchronize_seqscans", "off"},
    {"geqo", "off"},
    {"timezone", "UTC"},
    {"log_timezone", "UTC"},
    {"datestyle", "ISO, MDY"},
    {"intervalstyle", "postgres"},
    {"lc_messages", "C"},
    /* memory */
    {"shared_buffers", "32MB"},
    {"huge_pages", "off"},
    {"shared_memory_type", "mmap"},
    {"dynamic_shared_memory_type", "mmap"}, /* files in the data directory, none in /dev/shm */
    /* connections and bookkeeping */
    {"listen_addresses", ""},
    {"max_prepared_transactions", "64"},
    {"track_counts", "off"},
    {"update_process_title", "off"},
    {"logging_collector", "off"},
    {"log_destination", "stderr"},
    {"log_line_prefix", "%m [%p] "},
    {"log_error_verbosity", "terse"},
    {"log_min_messages", "log"}, /* above ERROR: clients report those, and runs make millions */
    {"log_lock_waits", "on"},
};

/* Appends "name = 'value'"; in a quoted value the file knows '' and the escapes of C. */
static void add_setting(struct ob_buf *conf, const char *name, const char *value)
{
    ob_buf_printf(conf, "%s = '", name);
    for (; *value != '\0'; value++) {
        if (*value == '\'' || *value == '\\')
            ob_buf_putc(conf, *value);
        if (*value == '\n')
            ob_buf_puts(conf, "\\n");
        else
            ob_buf_putc(conf, *value);
    }
    ob_buf_puts(conf, "'\n");
}

/* The setting is a list; a name in double quotes may hold anything. */
static void add_path(struct ob_buf *conf, const char *name, const char *path)
{
    struct ob_buf quoted;

    ob_buf_init(&quoted, CONF_SIZE_MAX);
    ob_buf_putc(&quoted, '"');
    for (; *path != '\0'; path++) {
        if (*path == '"')
            ob_buf_putc(&quoted, '"');
        ob_buf_putc(&quoted, *path);
    }
    ob_buf_putc(&quoted, '"');
    add_setting(conf, name, quoted.data);
    ob_buf_clear(&quoted);
}

static bool is_setting_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.')
            return false;
    return true;
}

static enum ob_result check_settings(const struct ob_pg_server_options *options,
                                     struct ob_error *err)
{
    for (size_t i = 0; i < options->setting_count; i++)
        if (!is_setting_name(options->settings[i].name)) {
            ob_error_set(err, OB_INPUT, "\"%s\" cannot be the name of a server setting",
                         options->settings[i].name);
            ob_error_hint(err, "Names are made of letters, digits, underscores and dots.");
            return OB_INPUT;
        }
    return OB_OK;
}

static enum ob_result write_conf(const struct ob_pg_server *server,
                                 const struct ob_pg_server_options *options, struct ob_error *err)
{
    const struct ob_pg_home *home = &server->keeper.home;
    int connections = options->max_connections > 0 ? options->max_connections : CONNECTIONS_DEFAULT;
    struct ob_buf conf;
    enum ob_result result;

    ob_buf_init(&conf, CONF_SIZE_MAX);
    for (size_t i = 0; i < sizeof own_settings / sizeof *own_settings; i++)
        add_setting(&conf, own_settings[i].name, own_settings[i].value);
    if (server->install.number >= 180000)
        add_setting(&conf, "io_method", "sync"); /* no worker processes for reading */
    ob_buf_printf(&conf, "max_connections = %d\n", connections);
    add_path(&conf, "unix_socket_directories", home->path);
    if (server->probe)
        add_path(&conf, "session_preload_libraries", server->probe);
    for (size_t i = 0; i < options->setting_count; i++)
        add_setting(&conf, options->settings[i].name, options->settings[i].value);
    if (ob_buf_failed(&conf)) {
        result = ob_error_set(err, OB_LIMIT, "the server's settings are too long");
    } else {
        char *path = ob_asprintf("%s/postgresql.conf", home->data);
        ob_pg_account_enter(&home->account);
        result = ob_pg_tree_write(path, conf.data, err);
        ob_pg_account_leave(&home->account);
        free(path);
    }
    ob_buf_clear(&conf);
    return result;
}

/* Takes all events that are there, so that the next wait is for new ones. */
static void drain(int events)
{
    char data[4096];

    while (events >= 0 && read(events, data, sizeof data) > 0)
        ;
}

static enum ob_result not_ready(const struct ob_pg_server *server, int ms_max, struct ob_error *err)
{
    char tail[500];

    ob_pg_server_log_tail(server, tail, sizeof tail);
    ob_error_set(err, OB_SERVER, "the embedded server took no connections within %d ms", ms_max);
    ob_error_detail(err, "Its log ends: %s", tail[0] != '\0' ? tail : "(it is empty)");
    return OB_SERVER;
}

static enum ob_result wait_ready(struct ob_pg_server *server, int events, int ms_max,
                                 struct ob_error *err)
{
    double deadline = ob_pg_clock_ms() + ms_max;

    for (;;) {
        struct ob_pg_pidfile pidfile;
        struct ob_error late;
        bool ended = false;
        int status = 0, left = ob_pg_clock_left_ms(deadline);
        drain(events);
        if (ob_pg_pidfile_read(server->keeper.home.data, &pidfile) && pidfile.ready)
            return OB_OK;
        if (left == 0)
            return not_ready(server, ms_max, err);
        if (events < 0 && left > TICK_MS)
            left = TICK_MS;
        enum ob_result result =
            ob_pg_keeper_wait(&server->keeper, events, left, &ended, &status, &late);
        if (result == OB_OK && ended)
            return ob_pg_keeper_program_error(&server->keeper, "postgres", status, err);
        /* A wait that ran out is seen at the top, after a last look at the file. */
        if (result != OB_OK && ob_pg_keeper_ended(&server->keeper)) {
            *err = late;
            return result;
        }
    }
}

static enum ob_result start_postgres(struct ob_pg_server *server, int ms_max, struct ob_error *err)
{
    const char *data = server->keeper.home.data;
    char *program = ob_asprintf("%s/postgres", server->install.bindir);
    const char *argv[] = {program, "-D", data, NULL};
    int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (events >= 0 && inotify_add_watch(events, data, IN_CREATE | IN_MODIFY | IN_MOVED_TO) < 0) {
        close(events);
        events = -1;
    }
    enum ob_result result = ob_pg_keeper_run(&server->keeper, argv, &server->postmaster, err);
    if (result == OB_OK)
        result = wait_ready(server, events, ms_max, err);
    if (events >= 0)
        close(events);
    free(program);
    return result;
}

/* The server's own copy of the installation asked for, or what is found. */
static enum ob_result choose_install(const struct ob_pg_install *asked, struct ob_pg_install *out,
                                     struct ob_error *err)
{
    if (asked == NULL)
        return ob_pg_find(out, err);
    *out = (struct ob_pg_install){.bindir = ob_strdup(asked->bindir),
                                  .version = ob_strdup(asked->version),
                                  .number = asked->number};
    return OB_OK;
}

enum ob_result ob_pg_server_open(const struct ob_pg_server_options *options,
                                 struct ob_pg_server **out, struct ob_error *err)
{
    static const struct ob_pg_server_options defaults = {.install = NULL};
    double begun = ob_pg_clock_ms();
    struct ob_pg_cluster_origin origin;

    if (options == NULL)
        options = &defaults;
    struct ob_pg_server *server = ob_alloc(sizeof *server);
    server->keeper.pid = -1;
    int ms_max = options->start_ms_max > 0 ? options->start_ms_max : START_MS_MAX;
    enum ob_result result = check_settings(options, err);
    if (result == OB_OK)
        result = choose_install(options->install, &server->install, err);
    if (result == OB_OK)
        result = ob_pg_keeper_open(&server->keeper, err);
    if (result == OB_OK)
        result = ob_pg_probe_place(&server->install, &server->keeper.home, &server->probe, err);
    if (result == OB_OK)
        result = ob_pg_cluster_fill(&server->install, &server->keeper, &origin, err);
    if (result == OB_OK)
        result = write_conf(server, options, err);
    if (result == OB_OK)
        result = start_postgres(server, ms_max, err);
    if (result != OB_OK) {
        (void)ob_pg_server_close(server);
        return result;
    }
    server->start.cached = origin.cached;
    snprintf(server->start.note, sizeof server->start.note, "%s", origin.note);
    server->start.ms = ob_pg_clock_ms() - begun;
    *out = server;
    return OB_OK;
}

bool ob_pg_server_close(struct ob_pg_server *server)
{
    bool gone = true;

    if (server == NULL)
        return true;
    if (server->keeper.pid > 0)
        gone = ob_pg_keeper_close(&server->keeper);
    ob_pg_install_clear(&server->install);
    free(server->probe);
    free(server);
    return gone;
}

char *ob_pg_server_conninfo(const struct ob_pg_server *server, const char *dbname)
{
    struct ob_buf text;

    ob_buf_init(&text, OB_PG_CONNINFO_MAX);
    ob_pg_conninfo_add(&text, "host", server->keeper.home.path);
    ob_pg_conninfo_add(&text, "port", "5432");
    ob_pg_conninfo_add(&text, "user", OB_PG_SUPERUSER);
    ob_pg_conninfo_add(&text, "dbname", dbname);
    assert(!ob_buf_failed(&text));
    return ob_buf_take(&text);
}

bool ob_pg_server_alive(const struct ob_pg_server *server)
{
    return !ob_pg_keeper_ended(&server->keeper);
}

int ob_pg_server_end_fd(const struct ob_pg_server *server)
{
    return server->keeper.fd;
}

pid_t ob_pg_server_postmaster_pid(const struct ob_pg_server *server)
{
    return server->postmaster;
}

pid_t ob_pg_server_keeper_pid(const struct ob_pg_server *server)
{
    return server->keeper.pid;
}

const struct ob_pg_install *ob_pg_server_install(const struct ob_pg_server *server)
{
    return &server->install;
}

const char *ob_pg_server_dir(const struct ob_pg_server *server)
{
    return server->keeper.home.path;
}

const char *ob_pg_server_data_dir(const struct ob_pg_server *server)
{
    return server->keeper.home.data;
}

const char *ob_pg_server_log_path(const struct ob_pg_server *server)
{
    return server->keeper.home.log;
}

void ob_pg_server_log_tail(const struct ob_pg_server *server, char *tail, size_t size)
{
    ob_pg_keeper_log_tail(&server->keeper, tail, size);
}

const struct ob_pg_server_start *ob_pg_server_start(const struct ob_pg_server *server)
{
    return &server->start;
}
