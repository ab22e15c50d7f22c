#!/bin/sh
# Posts an alert of obs to a Slack channel.
#
# SLACK_WEBHOOK_URL  an incoming webhook: https://hooks.slack.com/services/…
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${SLACK_WEBHOOK_URL:-}" ] || fail 'SLACK_WEBHOOK_URL is not set' 2

# Slack's commands, such as <!channel>, stand in angle brackets: escaped, they are text. Without mrkdwn, so are * and _.
# Slack takes 40,000 characters; an escaped one counts for five.
body=$(render '{
  text: [headline, (details | cut(3000)), .link // empty] | join("\n\n")
    | replace("&"; "&amp;") | replace("<"; "&lt;") | replace(">"; "&gt;"),
  mrkdwn: false,
  unfurl_links: false
}')
post "$SLACK_WEBHOOK_URL" "$body"
