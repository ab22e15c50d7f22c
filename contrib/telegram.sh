#!/bin/sh
# Sends an obs alert to a Telegram chat.
#
# TELEGRAM_TOKEN  the bot's token, from @BotFather
# TELEGRAM_CHAT   the chat's number, or @NAME for a channel
# TELEGRAM_URL    the Bot API server; optional, if it is not https://api.telegram.org
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${TELEGRAM_TOKEN:-}" ] || fail 'TELEGRAM_TOKEN is not set' 2
[ -n "${TELEGRAM_CHAT:-}" ] || fail 'TELEGRAM_CHAT is not set' 2

# Without parse_mode, no markup takes effect. Telegram accepts 4,096 characters, counted in UTF-16.
body=$(render '{
  chat_id: $ENV.TELEGRAM_CHAT,
  text: [headline, (details | cut(1800)), .link // empty] | join("\n\n"),
  link_preview_options: {is_disabled: true}
}')
url=${TELEGRAM_URL:-https://api.telegram.org}
post "${url%/}/bot$TELEGRAM_TOKEN/sendMessage" "$body"
