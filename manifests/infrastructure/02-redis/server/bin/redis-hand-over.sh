#!/bin/sh
# redis-hand-over.sh: runs before a pod goes. A master asks the Sentinels to promote another, and waits for it, at
# most ten seconds: a planned restart costs well under a second instead of the time that a death takes to be noticed.
set -eu
. /etc/redis/main/common.sh

waited=0
asked=
while ask probe 127.0.0.1 6379 info replication | grep -q '^role:master'; do
    [ "$waited" -lt 50 ] || fail "still master after ten seconds; going anyway"
    for peer in $peers; do
        [ -z "$asked" ] || break
        [ "$peer" != "$POD_NAME" ] || continue
        case $(ask sentinel "$peer.$domain" 26379 sentinel failover main || true) in
            OK) asked=$peer ;;
        esac
    done
    waited=$((waited + 1))
    sleep 0.2
done
