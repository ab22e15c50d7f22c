#!/bin/sh
# Mails an alert of obs, through the machine's sendmail.
#
# MAIL_TO    the addresses, with commas between them
# MAIL_FROM  the sender, where sendmail's own choice will not do
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
. "$here/common.sh"
[ -n "${MAIL_TO:-}" ] || fail 'MAIL_TO is not set' 2
PATH=$PATH:/usr/sbin:/usr/lib # where sendmail is, and services do not look

# Nothing ends a header, since each is one line; what is not plain ASCII, or looks encoded, is encoded as RFC 2047 has it, in
# words of 9 characters, which keep each line below its 76. The body in base64 passes every server, with line breaks that are CR LF.
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
timeout "${ALERT_TIMEOUT:-8}" sendmail -t <<MAIL || fail "sendmail ended with status $?"
$mail
MAIL
