#!/bin/sh
# filer.sh ARGUMENT...: starts a filer with the password of its database. Both filers share that database, so any of them
# can be lost.
set -eu
export LC_ALL=C
umask 077
folder=/etc/seaweedfs/main
secret=/run/secrets/postgresql-s3
memory=/run/seaweedfs
[ -s "$secret/password" ] || {
    printf 'filer.sh: %s/password is missing or empty: mint the Secret postgresql-s3\n' "$secret" >&2
    exit 2
}
# In a file in memory: what is in the environment, is in every crash report.
escaped() { sed 's/[\\:]/\\&/g' "$1"; }
printf '*:*:*:*:%s\n' "$(escaped "$secret/password")" >"$memory/pgpass"
export PGPASSFILE="$memory/pgpass"

# Without its database weed ends, and is started again after a pause that grows. What a database says to curl is no HTTP,
# but whoever says anything is there: it is waited for who is not found, or not reached. The startup probe has a bound.
setting() { sed -n "s/^$1 = \"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "$folder/filer.toml"; }
database=$(setting hostname):$(setting port)
while :; do
    code=0
    curl --silent --noproxy '*' --max-time 2 --output /dev/null "http://$database/" || code=$?
    case $code in 6 | 7 | 28) ;; *) break ;; esac
    printf 'filer.sh: waiting for %s (curl: %s)\n' "$database" "$code"
    sleep 1
done
exec weed -logtostderr=true -config_dir="$folder" filer "$@"
