#!/bin/sh
# Posts an obs alert to a Slack channel.
#
# SLACK_WEBHOOK_URL  an incoming webhook: https://hooks.slack.com/services/…
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${SLACK_WEBHOOK_URL:-}" ] || fail 'SLACK_WEBHOOK_URL is not set' 2

# Slack's commands, such as <!channel>, are in angle brackets; escaped, they are plain text. With mrkdwn off, so are
# * and _. Slack accepts 40,000 characters, and an escaped one counts as five.
body=$(render '{
  text: [headline, (details | cut(3000)), .link // empty] | join("\n\n")
    | replace("&"; "&amp;") | replace("<"; "&lt;") | replace(">"; "&gt;"),
  mrkdwn: false,
  unfurl_links: false
}')
post "$SLACK_WEBHOOK_URL" "$body"
