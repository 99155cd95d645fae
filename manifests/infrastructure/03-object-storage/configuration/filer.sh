#!/bin/sh
# filer.sh ARGUMENT...: starts a filer with the password of its database. Both filers share that database, so any of them
# can be lost.
set -eu
secret=/run/secrets/postgresql-s3
[ -s "$secret/password" ] || {
    printf 'filer.sh: %s/password is missing or empty: mint the Secret postgresql-s3\n' "$secret" >&2
    exit 2
}
WEED_POSTGRES2_PASSWORD=$(cat "$secret/password")
export WEED_POSTGRES2_PASSWORD
exec weed -logtostderr=true -config_dir=/etc/seaweedfs/main filer "$@"
