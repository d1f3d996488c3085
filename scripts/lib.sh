# Paths and small functions that the scripts share. Sourced by them, never run.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C.UTF-8
umask 022

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
STATE=${ISP_STATE:-$REPO/.isp}
VENV=$STATE/venv
KEYS=$STATE/keys
LOGS=$STATE/log
DEBIAN_ODOO=$STATE/odoo/root/usr/lib/python3/dist-packages
ODOO_PACKAGES=${ODOO_HOME:-$DEBIAN_ODOO}
ADDONS_PATH=$REPO/addons${ISP_EXTRA_ADDONS:+,$ISP_EXTRA_ADDONS}
ODOO_RC=${ODOO_RC:-$REPO/odoo.conf}
ISP_KEY_FILE=${ISP_KEY_FILE:-$KEYS/isp.keys}
export ISP_KEY_FILE

# Compiled Python is kept, beside nobody's sources, also where the environment asks for none to be
# written: without it each start of Odoo compiles itself again, for two seconds.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=${PYTHONPYCACHEPREFIX:-$STATE/cache/pycache}

exec 3>&2 # where sentences for people go, also while a step writes to its log

say() { printf '%s\n' "$*" >&3; }

# die SENTENCE [WHAT-TO-DO]: stop with one message and no trace.
die() {
    printf '\nError: %s\n' "$1" >&3
    [ -z "${2:-}" ] || printf '       %s\n' "$2" >&3
    exit "${DIE_STATUS:-1}"
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'; }

# step WHAT COMMAND...: says what it does and how long it took; output goes to the log.
step() {
    local what=$1 start=$EPOCHREALTIME log=$LOGS/setup.log offset status=0
    shift
    offset=$(stat -c %s "$log" 2>/dev/null || echo 0)
    printf '  %-58s ' "$what" >&3
    printf '\n=== %s (%s)\n' "$what" "$(date -Is)" >>"$log"
    set +e # "( ... ) || status=$?" would switch set -e off inside the step as well
    (set -e && DIE_STATUS=90 && "$@") >>"$log" 2>&1 </dev/null
    status=$?
    set -e
    if [ "$status" -eq 90 ]; then exit 1; fi # the step has said why
    [ "$status" -eq 0 ] || explain "$what" "$(tail -c +$((offset + 1)) "$log")" "$log"
    say "$(seconds_since "$start")"
}

# Turns the log of a failed step into one sentence and what to do.
explain() {
    case $2 in
    *"No space left"* | *"not enough free space"*)
        die "The disk is full: \"$1\" could not finish." \
            "Free some space (see: du -sh $STATE, df -h) and run the same command again." ;;
    *"Could not get lock"* | *"Unable to acquire the dpkg"*)
        die "Another package manager is running." "Wait for it to finish, then run the same command again." ;;
    *"resolve"* | *"Connection refused"* | *"Unable to connect"* | *"Network is unreachable"* | \
        *"ould not connect"* | *"timed out"* | *"Failed to establish"* | *"NewConnectionError"* | \
        *"ProxyError"* | *"Failed to fetch"*)
        die "No network: \"$1\" could not download what it needs." \
            "Check the connection (and http_proxy/https_proxy), then run again; finished downloads are kept. Log: $3" ;;
    *"Unable to locate package"* | *"no installation candidate"* | *"No matching distribution"*)
        die "A package is not offered by this machine's package sources: \"$1\"." \
            "Debian 12 or newer with its main section is needed; the name is in $3." ;;
    *) die "\"$1\" failed: $(grep -vE '^ *$|^DETAIL' <<<"$2" | tail -1 | cut -c1-200)" "More is at the end of $3." ;;
    esac
}

# once NAME FINGERPRINT WHAT COMMAND...: a step that is skipped while the fingerprint stays.
once() {
    local stamp=$STATE/stamps/$1 fingerprint=$2
    shift 2
    if [ -e "$stamp" ] && [ "$(<"$stamp")" = "$fingerprint" ]; then return 0; fi
    step "$@"
    printf '%s' "$fingerprint" >"$stamp"
}

fingerprint() { sha256sum | cut -c1-16; }

is_root() { [ "$(id -u)" -eq 0 ]; }

# PostgreSQL refuses to run as root, so root lends it the package's own user.
service_user() { if is_root; then echo postgres; else id -un; fi; }

as_service() {
    if is_root; then (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"); else "$@"; fi
}

# Where files live that PostgreSQL (and FreeRADIUS) must reach: .isp, or a folder under
# /var/tmp when those users may not enter the checkout (one below /root, for instance).
shared_state() {
    if [ -L "$STATE/shared-state" ]; then readlink "$STATE/shared-state"; else echo "$STATE"; fi
}

# A socket path may have 107 bytes at most, so a deep checkout gets a short folder in /tmp.
socket_dir() {
    local dir
    dir=$(shared_state)/run
    if [ $((${#dir} + 20)) -le 107 ]; then echo "$dir"; else echo "/tmp/isp-$(echo "$dir" | fingerprint)"; fi
}

newest_postgres() { # bin folder of the newest PostgreSQL >= 15 on this machine
    local dir best=
    for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n); do
        if [ -x "$dir/initdb" ] && [ "$(echo "$dir" | cut -d/ -f5)" -ge 15 ]; then best=$dir; fi
    done
    [ -n "$best" ] && echo "$best"
}

# The server programs that fit the cluster, also after a newer PostgreSQL was installed.
postgres_bin() {
    local version_file
    version_file=$(shared_state)/pg/PG_VERSION
    if [ -e "$version_file" ]; then echo "/usr/lib/postgresql/$(<"$version_file")/bin"; else newest_postgres; fi
}

# Which database server: PGHOST or db_host in the configuration file, else the private cluster.
uses_private_cluster() {
    [ "${PGHOST:-}" = "$(socket_dir)" ] ||
        { [ -z "${PGHOST:-}" ] && ! grep -qsE '^ *db_host *= *[^ ]' "$ODOO_RC"; }
}

database_environment() {
    if uses_private_cluster; then
        PGHOST=$(socket_dir)
        PGUSER=${PGUSER:-isp}
        export PGHOST PGUSER
        unset PGPORT PGSERVICE
    fi
}

# Odoo reads options from ODOO_<OPTION> variables, so odoo.conf needs no paths of this machine.
odoo_environment() {
    database_environment
    export ODOO_RC
    export ODOO_DATA_DIR=${ODOO_DATA_DIR:-$STATE/data}
}
