#!/bin/sh
# redis-sentinel.sh: starts the Sentinel of a pod. What it learned (who is master, who else there is, its own id)
# stays on its volume; settings and passwords are taken afresh at every start, so a rotation takes effect.
set -eu
umask 077
. /etc/redis/main/common.sh

learned=$(mktemp /run/redis/learned.XXXXXX)
if [ -s "$state" ]; then
    grep -E '^sentinel (myid|monitor|config-epoch|leader-epoch|current-epoch|known-replica|known-sentinel) ' "$state" >"$learned" || true
fi
if ! grep -q '^sentinel monitor ' "$learned"; then
    master=$(agreed)
    [ -n "$master" ] || master=redis-0.$domain
    # Sentinel gives up at once when it cannot resolve the master that it begins with.
    waited=0
    until getent hosts "$master" >/dev/null; do
        [ "$waited" -lt 1200 ] || fail "$master has had no address for 240 s"
        waited=$((waited + 1))
        sleep 0.2
    done
    printf 'sentinel monitor main %s 6379 2\n' "$master" >>"$learned"
fi

{
    cat /etc/redis/main/sentinel.conf
    printf 'dir /var/lib/sentinel\n'
    printf 'sentinel announce-ip %s\n' "$self"
    printf 'sentinel sentinel-user sentinel\n'
    printf 'sentinel sentinel-pass %s\n' "$(quoted sentinel_password)"
    cat "$learned"
    printf 'sentinel auth-user main sentinel\n'
    printf 'sentinel auth-pass main %s\n' "$(quoted sentinel_password)"
    printf 'sentinel down-after-milliseconds main 3000\n'
    printf 'sentinel failover-timeout main 15000\n'
    printf 'sentinel parallel-syncs main 2\n'
} >"$state.new"
rm -f "$learned"
mv "$state.new" "$state"
exec redis-server "$state" --sentinel
