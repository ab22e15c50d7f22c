#!/bin/sh
# Posts an obs alert to a Microsoft Teams channel.
#
# TEAMS_WEBHOOK_URL  the URL of a workflow, "Send webhook alerts to a channel"
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${TEAMS_WEBHOOK_URL:-}" ] || fail 'TEAMS_WEBHOOK_URL is not set' 2

# A TextBlock takes Markdown; a TextRun is plain text. Teams accepts 28 KB, and an escaped character counts as six.
body=$(render '
def block($text; $style): {type: "RichTextBlock", inlines: [{type: "TextRun", text: $text} + $style]};
{
  type: "message",
  attachments: [{
    contentType: "application/vnd.microsoft.card.adaptive",
    content: {
      "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
      type: "AdaptiveCard",
      version: "1.4",
      body: [block(headline; {weight: "Bolder"}), block(details | cut(3000); {})],
      actions: [.link // empty | {type: "Action.OpenUrl", title: "Open in obs", url: .}]
    }
  }]
}')
post "$TEAMS_WEBHOOK_URL" "$body"
