#!/bin/sh
# Makes the cluster, the role and the database that the Secret postgresql-synapse names. Runs before every start:
# whatever is there already is left alone, a half-made cluster is made again, a changed password is taken over.
set -eu
export LC_ALL=C
umask 077

secret=/run/secrets/postgresql-synapse
conf_d=/etc/postgresql/conf.d
: "${PGDATA:?PGDATA is not set}" "${PGHOST:?PGHOST, the folder of the socket, is not set}"

fail() {
    printf 'initialise: %s\n' "$*" >&2
    exit 1
}

for key in username password; do
    [ -s "$secret/$key" ] || fail "$secret/$key is missing or empty: mint the Secret postgresql-synapse"
done

if [ ! -d "$PGDATA" ]; then
    rm -rf "$PGDATA.partial"
    # Files *.initdb hold further options, one a line; `set --` keeps an option with spaces whole.
    set --
    for file in "$conf_d"/*.initdb; do
        [ -f "$file" ] || continue
        while IFS= read -r option || [ -n "$option" ]; do
            [ -z "$option" ] || set -- "$@" "$option"
        done <"$file"
    done
    initdb --pgdata="$PGDATA.partial" --username=postgres --encoding=UTF8 --locale=C \
        --auth-local=trust --auth-host=scram-sha-256 "$@"
    mv "$PGDATA.partial" "$PGDATA"
fi
# A volume that changed hands may have got group bits from the kubelet, which PostgreSQL refuses.
chmod 0700 "$PGDATA"

# One pod at a time owns this volume, and a process id means nothing outside the container that wrote it.
rm -f "$PGDATA/postmaster.pid"

# On the socket only: nobody is let in before role and password are right.
pg_ctl start --pgdata="$PGDATA" --silent --wait --timeout=600 \
    --options="--config-file=/etc/postgresql/main/postgresql.conf --listen-addresses="
trap 'pg_ctl stop --pgdata="$PGDATA" --silent --mode=fast --wait --timeout=600' EXIT

# psql itself quotes :'name' and :"name", so a password may hold any character. Nothing is logged: the
# statement would carry the password.
psql --no-psqlrc --quiet --username=postgres --dbname=postgres \
    --set=ON_ERROR_STOP=1 <<'SQL'
SET log_min_duration_statement = -1;
SET log_statement = none;
SET log_min_error_statement = panic;
\set username `cat /run/secrets/postgresql-synapse/username`
\set password `cat /run/secrets/postgresql-synapse/password`
SELECT format('CREATE ROLE %I LOGIN', :'username')
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'username') \gexec
ALTER ROLE :"username" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'username', :'username')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'username') \gexec
SQL
printf 'initialise: cluster %s, role and database are ready\n' "$PGDATA"
