#!/bin/sh
# Posts an obs alert, as the JSON that obs sent, to a URL of your choice.
#
# WEBHOOK_URL    the URL
# WEBHOOK_TOKEN  sent as "Authorization: Bearer …"; optional
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${WEBHOOK_URL:-}" ] || fail 'WEBHOOK_URL is not set' 2

body=$(render .)
post "$WEBHOOK_URL" "$body" "${WEBHOOK_TOKEN:-}"
