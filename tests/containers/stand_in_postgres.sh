#!/bin/sh
# What we rely on of the image's own start script: POSTGRES_USER, _PASSWORD, _DB, _INITDB_ARGS at the first start, root
# only until the files have their owner, and no password on the container's own socket.
set -eu
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    chown -R postgres:postgres /var/lib/postgresql /var/run/postgresql
    exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?is missing}"
    echo "$POSTGRES_PASSWORD" >/tmp/password
    # shellcheck disable=SC2086 # several arguments
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile=/tmp/password ${POSTGRES_INITDB_ARGS:-}
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    pg_ctl --pgdata="$PGDATA" --wait --options="-c listen_addresses=''" start
    createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    pg_ctl --pgdata="$PGDATA" --wait stop
fi
exec "$@" -c listen_addresses='*'
