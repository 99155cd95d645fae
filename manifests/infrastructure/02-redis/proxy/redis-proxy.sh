#!/bin/sh
# redis-proxy.sh: starts the proxy that leads every client to the master.
# The check's AUTH is sent byte by byte (the Redis protocol in hexadecimal), so the password may hold anything.
set -eu
export LC_ALL=C

file=/run/secrets/redis/probe_password
[ -s "$file" ] || {
    printf 'redis-proxy.sh: %s is missing or empty: mint the Secret redis\n' "$file" >&2
    exit 2
}
hexadecimal() { od -An -v -tx1 | tr -d ' \n'; }
AUTHENTICATION=$({
    printf '*3\r\n$4\r\nAUTH\r\n$5\r\nprobe\r\n$%d\r\n' "$(wc -c <"$file")"
    cat "$file"
    printf '\r\n'
} | hexadecimal)
export AUTHENTICATION
exec haproxy -W -db -f /etc/haproxy/conf.d
