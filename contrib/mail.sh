#!/bin/sh
# Mails an obs alert through the machine's sendmail.
#
# MAIL_TO    the addresses, separated by commas
# MAIL_FROM  the sender; optional, if sendmail's default is not right
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${MAIL_TO:-}" ] || fail 'MAIL_TO is not set' 2
PATH=$PATH:/usr/sbin:/usr/lib # where sendmail often is, outside a service's PATH

# Each header is a single line, so no text can begin another one. Text that is not plain ASCII, or that looks encoded,
# is encoded as in RFC 2047, in words of 9 characters, which keeps each line below the limit of 76. Every mail server
# passes a base64 body; its line breaks are CR LF.
mail=$(render '
  def word: "=?UTF-8?B?\(@base64)?=";
  def header: if test("^[ -~]*$") and (contains("=?") | not) then . else [range(0; length; 9) as $at | .[$at:$at + 9] | word] | join("\n ") end;
  def body: split("\n") | map(rtrimstr("\r")) | join("\r\n") | @base64 | range(0; length; 76) as $at | .[$at:$at + 76];
  "To: \($ENV.MAIL_TO | line)",
  ($ENV.MAIL_FROM // "" | select(. != "") | "From: \(line)"),
  "Subject: \(headline | header)",
  "Auto-Submitted: auto-generated",
  "MIME-Version: 1.0",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: base64",
  "",
  ([details, .link // empty] | join("\n\n") | body)
')
timeout "${ALERT_TIMEOUT:-8}" sendmail -t <<MAIL || fail "sendmail exited with status $?"
$mail
MAIL
