#!/bin/sh
# Publishes an alert of obs to a topic of ntfy, for telephones and desktops.
#
# NTFY_URL    the topic: https://ntfy.sh/TOPIC, or one on a server of your own
# NTFY_TOKEN  an access token, if the topic needs one
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${NTFY_URL:-}" ] || fail 'NTFY_URL is not set' 2
url=${NTFY_URL%/}
export topic="${url##*/}"
case $topic in '' | *[!A-Za-z0-9_-]*) fail 'NTFY_URL ends in no topic' 2 ;; esac

# JSON goes to the server itself, not to the topic. So nothing that others wrote becomes a header.
# ntfy takes a message of 4,096 bytes, which hold 1,024 characters of any kind.
body=$(render '{topic: $ENV.topic, title: headline, message: details | cut(1024)}
  + if .link then {click: .link} else {} end')
post "${url%/*}" "$body" "${NTFY_TOKEN:-}"
