#!/bin/sh
# Posts an alert of obs, as the JSON it is, to an address of your own.
#
# WEBHOOK_URL    the address
# WEBHOOK_TOKEN  sent as "Authorization: Bearer …", if it is set
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${WEBHOOK_URL:-}" ] || fail 'WEBHOOK_URL is not set' 2

body=$(render .)
post "$WEBHOOK_URL" "$body" "${WEBHOOK_TOKEN:-}"
