#!/bin/sh
# Posts an obs alert to a Discord channel.
#
# DISCORD_WEBHOOK_URL  the channel's webhook: https://discord.com/api/webhooks/…
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${DISCORD_WEBHOOK_URL:-}" ] || fail 'DISCORD_WEBHOOK_URL is not set' 2

# No markup from an event takes effect, so nobody can inject a link or a mention: the title has a backslash before
# each markup character, and the details are a code block, in which a zero-width space after each backtick keeps it
# from closing the block. Either at most doubles the length, as does counting in UTF-16: 120 and 2,000 characters
# stay within Discord's limits of 256 and 4,096.
body=$(render '
def plain: reduce ("\\*_~`|<>[]()#@:" / "")[] as $mark (.; replace($mark; "\\" + $mark));
{
  embeds: [{
    title: (headline | plain),
    url: .link,
    description: "```\n\(details | cut(2000) | replace("`"; "`\u200b"))\n```"
  }],
  allowed_mentions: {parse: []}
}')
post "$DISCORD_WEBHOOK_URL" "$body"
