#!/bin/sh
# minio-setup.sh: makes the buckets, and for each a user who may use that one only. Run again, it changes keys that changed.
set -eu
umask 077
export MC_CONFIG_DIR=/tmp/mc

until mc alias set store http://s3:8333 "$(cat /run/secrets/minio/access_key_id)" "$(cat /run/secrets/minio/secret_access_key)" >/dev/null 2>&1; do
    sleep 2
done
while IFS= read -r bucket; do
    mc mb --ignore-existing "store/$bucket"
    cat >/tmp/policy.json <<JSON
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
   "Resource": ["arn:aws:s3:::$bucket"]},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts", "s3:GetObjectTagging", "s3:PutObjectTagging"],
   "Resource": ["arn:aws:s3:::$bucket/*"]}]}
JSON
    mc admin policy create store "$bucket" /tmp/policy.json
    key=$(cat "/run/secrets/s3-$bucket/access_key_id")
    mc admin user add store "$key" "$(cat "/run/secrets/s3-$bucket/secret_access_key")"
    mc admin policy attach store "$bucket" --user "$key" || mc admin policy entities store --user "$key" | grep -qw "$bucket"
done </etc/minio-setup/buckets.txt
