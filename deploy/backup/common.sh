# What isp-backup and isp-restore share. Sourced by them, never run.
# shellcheck shell=bash

set -euo pipefail
umask 077

CONF=${ISP_BACKUP_CONF:-/etc/isp-suite/backup.conf}
[ -r "$CONF" ] || { echo "Error: $CONF cannot be read. Copy deploy/backup/backup.conf there, and run this as root." >&2; exit 1; }
set -a # pgBackRest, restic and psql read their settings from the environment
# shellcheck source=/dev/null
. "$CONF"
set +a

say() { printf '%s\n' "$*"; }
die() { printf 'Error: %s\n' "$*" >&2; exit 1; }

# as USER COMMAND...
as() {
    local user=$1
    shift
    if [ "$(id -un)" = "$user" ]; then (cd / && exec "$@"); else
        (cd / && exec setpriv --reuid="$user" --regid="$(id -gn "$user")" --init-groups -- "$@")
    fi
}

backrest() { as "$PG_USER" pgbackrest --stanza="$STANZA" "$@"; }
production_sql() { as "$PG_USER" psql -XAtq -v ON_ERROR_STOP=1 -d postgres -c "$1"; }
