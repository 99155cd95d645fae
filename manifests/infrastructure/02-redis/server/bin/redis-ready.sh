#!/bin/sh
# redis-ready.sh: succeeds for a master, and for a replica that follows one. So a roll goes on only when the last
# pod has caught up.
set -eu
. /etc/redis/main/common.sh
ask probe 127.0.0.1 6379 info replication | tr -d '\r' | grep -qxE 'role:master|master_link_status:up'
