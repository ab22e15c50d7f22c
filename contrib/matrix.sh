#!/bin/sh
# Sends an obs alert to a Matrix room, which must not be encrypted.
#
# MATRIX_URL    the homeserver: https://matrix.example.com
# MATRIX_ROOM   the room's internal id: !abc123:example.com
# MATRIX_TOKEN  the access token of an account that has joined the room
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${MATRIX_URL:-}" ] || fail 'MATRIX_URL is not set' 2
[ -n "${MATRIX_ROOM:-}" ] || fail 'MATRIX_ROOM is not set' 2
[ -n "${MATRIX_TOKEN:-}" ] || fail 'MATRIX_TOKEN is not set' 2

# The alert's id is the transaction's id, so a server that gets an alert twice shows it once. Plain text has no markup,
# and an empty m.mentions pings nobody. An event of Matrix may have 64 KiB.
rendered=$(render '(
  "\($ENV.MATRIX_ROOM | @uri)/send/m.room.message/\(.alert_id // now | tostring | cut(64) | @uri)",
  {msgtype: "m.text", body: ([headline, (details | cut(3000)), .link // empty] | join("\n\n")), "m.mentions": {}}
)')
url=${MATRIX_URL%/}/_matrix/client/v3/rooms/$(printf '%s\n' "$rendered" | head -n 1)
post "$url" "$(printf '%s\n' "$rendered" | tail -n 1)" "$MATRIX_TOKEN" PUT
