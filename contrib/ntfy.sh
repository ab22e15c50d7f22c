#!/bin/sh
# Publishes an obs alert to an ntfy topic, for phones and desktops.
#
# NTFY_URL    the topic: https://ntfy.sh/TOPIC, or a topic on your own server
# NTFY_TOKEN  an access token; optional
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${NTFY_URL:-}" ] || fail 'NTFY_URL is not set' 2
url=${NTFY_URL%/}
export topic="${url##*/}"
case $topic in '' | *[!A-Za-z0-9_-]*) fail 'NTFY_URL does not end in a topic' 2 ;; esac

# As JSON, which is posted to the server rather than to the topic, no text from an event becomes a header.
# ntfy accepts messages of up to 4,096 bytes, enough for any 1,024 characters.
body=$(render '{topic: $ENV.topic, title: headline, message: details | cut(1024)}
  + if .link then {click: .link} else {} end')
post "${url%/*}" "$body" "${NTFY_TOKEN:-}"
