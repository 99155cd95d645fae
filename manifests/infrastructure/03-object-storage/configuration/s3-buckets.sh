#!/bin/sh
# s3-buckets.sh MASTERS FILER: makes the buckets that are not there yet. The S3 users may not make any.
set -eu
masters=$1 filer=$2

shell() { timeout 20 weed shell -master="$masters" -filer="$filer" 2>&1; }
limit=$(($(date +%s) + 600))
while :; do
    missing=
    if there=$(printf 's3.bucket.list\n' | shell); then
        while IFS= read -r bucket; do
            printf '%s\n' "$there" | grep -q "^ *$bucket[[:space:]]" || missing="$missing $bucket"
        done </etc/seaweedfs/main/buckets.txt
        [ -n "$missing" ] || exit 0
        for bucket in $missing; do
            printf 's3.bucket.create -name %s\n' "$bucket"
        done | shell || true
    else
        sleep 1
    fi
    [ "$(date +%s)" -lt "$limit" ] || {
        printf 's3-buckets.sh: still missing after 600 s:%s; the store says: %s\n' "$missing" "$there" >&2
        exit 1
    }
done
