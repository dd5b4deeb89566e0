# shellcheck shell=bash disable=SC2034
# lib.sh - what the tests of the command line share; sourced by them.
#
# Each test script has a directory of its own, $dir, which is TMPDIR too, so that whatever overbook
# leaves behind is found in it.  A script ends with "N passed, N failed".
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
overbook=${OVERBOOK_BUILD:-$root/build/release}/overbook
# In place of the built-in scenarios.
export OVERBOOK_SCENARIOS=$root/harness/tests/golden
export LC_ALL=C.UTF-8
unset NO_COLOR
dir=$(mktemp -d /tmp/obc.XXXXXX)
chmod 755 "$dir"
export TMPDIR=$dir
passed=0 failed=0 skipped=0

look=$OVERBOOK_SCENARIOS/look-then-insert.yaml
wrong=$OVERBOOK_SCENARIOS/not-as-expected.yaml
broken=$OVERBOOK_SCENARIOS/broken-setup.yaml

finish() {
    local status=$?
    rm -rf "$dir"
    echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
    [ "$failed" -eq 0 ] && [ $status -eq 0 ]
}
trap finish EXIT

# result WHAT STATUS - counts a test; when it failed, shows what overbook said last.
result() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        return
    fi
    failed=$((failed + 1))
    echo "FAILED: $1"
    tail -n 30 "$dir/out" "$dir/err" 2>/dev/null || true
}

# ends WHAT STATUS ARGUMENT… - overbook ends with that status; what it says is in $dir/out and err.
ends() {
    local what=$1 expected=$2 status=0
    shift 2
    "$overbook" "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
    result "$what: status $status, not $expected" $((status != expected))
}

# has FILE TEXT… - $dir/FILE has each text;  lacks FILE TEXT… - it has none of them.
has() {
    local file=$1 text
    shift
    for text in "$@"; do
        result "$file has '$text'" "$(grep -qF -- "$text" "$dir/$file" && echo 0 || echo 1)"
    done
}

lacks() {
    local file=$1 text
    shift
    for text in "$@"; do
        result "$file has no '$text'" "$(grep -qF -- "$text" "$dir/$file" && echo 1 || echo 0)"
    done
}

# same A B - two texts are the same.
same() {
    result "'$1' is '$2'" "$([ "$1" = "$2" ] && echo 0 || echo 1)"
}

# nothing_left - no home of a server is left in $dir, and no process that works in it.
nothing_left() {
    local left
    left=$(find "$dir" -maxdepth 1 -name 'overbook-pg-*'
        find /proc/[0-9]* -maxdepth 1 -name cwd -lname "$dir/overbook-pg-*" 2>/dev/null) || true
    same "$left" ''
}

# on_server - the script from here on has a server of its own, with $DATABASE_URL, a superuser's, and
# $scratch, that of a database to be marked.
on_server() {
    if [ -n "${DATABASE_URL-}" ]; then
        sql 'CREATE DATABASE scratch'
        scratch=$(at scratch)
        return
    fi
    trap - EXIT
    rm -rf "$dir"
    SERVER_CONNECTIONS=12 TMPDIR=/tmp exec "$root/reference/tests/with-server" "$0"
}

# at DATABASE - the URL of another database of the server.
at() {
    echo "${DATABASE_URL/\/postgres\?/\/$1?}"
}

# sql STATEMENT [DATABASE] - what the server answers.
sql() {
    psql -XAtq "$(at "${2:-postgres}")" -c "$1"
}
