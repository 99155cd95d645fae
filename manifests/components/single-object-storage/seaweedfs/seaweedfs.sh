#!/bin/sh
# seaweedfs.sh: all of SeaweedFS in one process, then the buckets, if they are not there.
# Master, volume server and filer know no passwords, so they listen on this pod's loopback; only the S3 gateway,
# which checks identities, and the metrics are reachable.
set -eu

weed -logtostderr=true server \
    -dir=/data -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.peers=none -master.telemetry=false -master.volumeSizeLimitMB=256 \
    -volume.max=0 -volume.preStopSeconds=0 -volume.minFreeSpace=256MiB \
    -filer -filer.disableDirListing \
    -s3 -s3.ip.bind=0.0.0.0 -s3.port=8333 -s3.port.iceberg=0 -s3.port.lance=0 \
    -s3.config=/run/secrets/s3-identities/identities.json \
    -s3.iam=false -s3.autoCreateBucket=false -s3.allowDeleteBucketNotEmpty=false \
    -metricsIp=0.0.0.0 -metricsPort=9327 &
server=$!
trap 'kill -TERM "$server"' TERM INT

made() { printf 's3.bucket.list\n' | timeout 10 weed shell -master=127.0.0.1:9333 -filer=127.0.0.1:8888 2>/dev/null; }
until [ -e /run/seaweedfs/buckets ]; do
    kill -0 "$server" || wait "$server"
    if there=$(made); then
        missing=
        while IFS= read -r bucket; do
            printf '%s\n' "$there" | grep -q "^ *$bucket[[:space:]]" || missing="$missing $bucket"
        done </etc/seaweedfs/main/buckets.txt
        [ -n "$missing" ] || { touch /run/seaweedfs/buckets && break; }
        for bucket in $missing; do
            printf 's3.bucket.create -name %s\n' "$bucket"
        done | timeout 10 weed shell -master=127.0.0.1:9333 -filer=127.0.0.1:8888 || true
    else
        sleep 0.2
    fi
done
wait "$server"
