#!/bin/sh
# redis-proxy.sh: starts the proxy that leads every client to the master.
# The check's AUTH is sent byte by byte (the Redis protocol in hexadecimal), so the password may hold anything.
# HAProxy reads it from a file in memory: an environment shows in /proc and in crash reports.
set -eu
umask 077
export LC_ALL=C

file=/run/secrets/redis/probe_password
[ -s "$file" ] || {
    printf 'redis-proxy.sh: %s is missing or empty: mint the Secret redis\n' "$file" >&2
    exit 2
}
hexadecimal() { od -An -v -tx1 | tr -d ' \n'; }
{
    printf 'global\n    set-var proc.authentication str('
    {
        printf '*3\r\n$4\r\nAUTH\r\n$5\r\nprobe\r\n$%d\r\n' "$(wc -c <"$file")"
        cat "$file"
        printf '\r\n'
    } | hexadecimal
    printf ')\n'
} >/run/redis-proxy/00-authentication.cfg
exec haproxy -W -db -f /run/redis-proxy/00-authentication.cfg -f /etc/haproxy/conf.d
