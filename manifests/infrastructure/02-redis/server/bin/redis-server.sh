#!/bin/sh
# redis-server.sh: starts the Redis server of a pod, as replica of whom the Sentinels call master. A server that was
# master, died and comes back must not be one for a moment: there is another by now.
set -eu
umask 077
. /etc/redis/main/common.sh

master=$(agreed)
[ -n "$master" ] || master=$(remembered)
[ -n "$master" ] || master=redis-0.$domain

{
    printf 'include %s\n' /etc/redis/conf.d/*.conf
    printf 'dir /run/redis\n'
    printf 'replica-announce-ip %s\n' "$self"
    printf 'masterauth %s\n' "$(quoted replica_password)"
    [ "$master" = "$self" ] || printf 'replicaof %s 6379\n' "$master"
} >/run/redis/redis.conf
printf 'redis-server.sh: master is %s\n' "$master"
exec redis-server /run/redis/redis.conf
