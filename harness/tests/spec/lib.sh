# shellcheck shell=bash disable=SC2034
# lib.sh - PostgreSQL's isolationtester on throwaway servers; sourced by those who ask it what is
# expected.
#
# OVERBOOK_ISOLATIONTESTER is the program, by default that of the server's installation, and
# OVERBOOK_PG_BINDIR the directory of the server's programs.
#
# What is made is in $dir, and is removed with the servers when the script ends.
set -euo pipefail
export LC_ALL=C.UTF-8
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)

die() {
    echo "${0##*/}: $1" >&2
    exit 2
}

bin=${OVERBOOK_PG_BINDIR:-$(pg_config --bindir 2>/dev/null || true)}
[ -x "$bin/initdb" ] || bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -n 1)
[ -x "$bin/initdb" ] || die "no PostgreSQL server found; set OVERBOOK_PG_BINDIR"
psql=$bin/psql
[ -x "$psql" ] || psql=psql
tester=${OVERBOOK_ISOLATIONTESTER:-${bin%/bin}/lib/pgxs/src/test/isolation/isolationtester}
no_tester="no isolationtester at $tester; set OVERBOOK_ISOLATIONTESTER"

dir=$(mktemp -d "${TMPDIR:-/tmp}/overbook-peer.XXXXXX")
as_server=()
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$dir"
    as_server=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --)
fi

cleanup() {
    local pid at
    trap - EXIT INT TERM HUP
    for pid in $(jobs -p); do
        kill "$pid" 2>/dev/null || true
    done
    for at in "$dir"/server-*; do
        [ ! -f "$at/data/postmaster.pid" ] || "${as_server[@]}" "$bin/pg_ctl" -D "$at/data" \
            -m immediate -w stop >/dev/null 2>&1 || true
    done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The conditions of the expected output; a user's PGOPTIONS stay.
unset PGCLIENTENCODING PGHOST PGPORT PGDATABASE PGUSER PGSERVICE
export TZ=America/Los_Angeles PGTZ=America/Los_Angeles PGDATESTYLE='Postgres, MDY'
export PGOPTIONS="${PGOPTIONS:+$PGOPTIONS }-c intervalstyle=postgres_verbose"
# Seconds: none comes near, but one that is wrong.
export PGISOLATIONTIMEOUT=${PGISOLATIONTIMEOUT:-20}
# From version 16 on isolationtester knows this one instead, and waits twice as long.
export PG_TEST_TIMEOUT_DEFAULT=$(((PGISOLATIONTIMEOUT + 1) / 2))

make_server() {
    local settings="-k $1 -c listen_addresses= -c fsync=off -c synchronous_commit=on"
    settings+=" -c full_page_writes=off -c autovacuum=off -c max_connections=40 -c jit=off"
    settings+=" -c max_prepared_transactions=3 -c lc_messages=C"
    "${as_server[@]}" mkdir "$1" &&
        "${as_server[@]}" "$bin/initdb" -D "$1/data" -U postgres -A trust --no-sync \
            -E UTF8 --locale=C >"$dir/log" 2>&1 &&
        "${as_server[@]}" "$bin/pg_ctl" -D "$1/data" -w -l "$1/log" -o "$settings" \
            start >>"$dir/log" 2>&1
}

# start_server NAME - a server with a fresh database for specs.
start_server() {
    local at=$dir/server-$1 text
    if ! make_server "$at"; then
        cat "$dir/log" "$at/log" >&2 2>/dev/null || true
        die "no server"
    fi
    for text in 'CREATE DATABASE isolation_regression TEMPLATE template0' \
        "ALTER DATABASE isolation_regression SET timezone_abbreviations TO 'Default'"; do
        "$psql" -X -q -v ON_ERROR_STOP=1 -h "$at" -U postgres -d postgres -c "$text"
    done
}

# ask NAME FILE.spec OUT - what isolationtester prints at that server, on standard output and error,
# whose order is told by their being one file; the status is its own.
ask() {
    local spec=${2##*/}
    PGAPPNAME=isolation/${spec%.spec} "$tester" \
        "host=$dir/server-$1 user=postgres dbname=isolation_regression" <"$2" >"$3" 2>&1
}
