#!/bin/sh
# Posts an alert of obs to a Discord channel.
#
# DISCORD_WEBHOOK_URL  the channel's webhook: https://discord.com/api/webhooks/…
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${DISCORD_WEBHOOK_URL:-}" ] || fail 'DISCORD_WEBHOOK_URL is not set' 2

# Nothing in an alert is markup, so that nobody can put a link or a mention into one: the title has a backslash before each
# sign of it; the details are a code block, in which a backtick that is followed by an empty character ends nothing.
# Either at most doubles the length, as does counting in UTF-16: 120 and 2,000 stay within the 256 and 4,096 Discord takes.
body=$(render '
def plain: reduce ("\\*_~`|<>[]()#@:" / "")[] as $sign (.; replace($sign; "\\" + $sign));
{
  embeds: [{
    title: (headline | plain),
    url: .link,
    description: "```\n\(details | cut(2000) | replace("`"; "`\u200b"))\n```"
  }],
  allowed_mentions: {parse: []}
}')
post "$DISCORD_WEBHOOK_URL" "$body"
