# Sourced by the other scripts. Names and passwords of the three peers.
export LC_ALL=C
peers="redis-0 redis-1 redis-2"
domain=redis-peers
secret=/run/secrets/redis
state=/var/lib/sentinel/sentinel.conf

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

for key in password replica_password sentinel_password probe_password; do
    [ ! -e "$secret/$key" ] || [ "$(wc -l <"$secret/$key")" = 0 ] || fail "$secret/$key holds a line break"
done
case ${POD_NAME:-} in
    redis-[012]) self=$POD_NAME.$domain ;;
    *) fail "POD_NAME is '${POD_NAME:-}': take it from metadata.name of a pod of the StatefulSet redis with 3 replicas" ;;
esac

# quoted KEY: a password as Redis reads it in double quotes, every byte as \xHH, so it may hold anything.
quoted() {
    [ -s "$secret/$1" ] || fail "$secret/$1 is missing or empty: mint the Secret redis"
    printf '"%s"' "$(od -An -v -tx1 <"$secret/$1" | tr -d '\n' | sed 's/ \(..\)/\\x\1/g')"
}

# ask USER HOST PORT COMMAND...: the answer within a second. The password is in no argument list.
ask() {
    user=$1 host=$2 port=$3
    shift 3
    REDISCLI_AUTH=$(cat "$secret/${user}_password") timeout 1 \
        redis-cli --no-auth-warning --user "$user" -h "$host" -p "$port" "$@" 2>/dev/null
}

# agreed: whom most of the Sentinels that answer call master; nothing when none answers. All are asked at once: one that
# is gone answers nothing for a whole second.
agreed() {
    {
        for peer in $peers; do
            ask probe "$peer.$domain" 26379 sentinel get-master-addr-by-name main &
        done
        wait
    } | grep -E "^redis-[012]\.$domain\$" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }' || true
}

# remembered: the master that the Sentinel of this pod knew last.
remembered() {
    [ ! -s "$state" ] || awk '$1 == "sentinel" && $2 == "monitor" { print $4 }' "$state" | tail -n 1
}
