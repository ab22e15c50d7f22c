#!/bin/sh
# An obs "SDK" made of one curl command, as a third party might write it. It sends at once and never retries.
scenario=$1 dsn=$2
key=${dsn#*://} key=${key%@*}
server=${dsn%%://*}://${dsn#*@}
sent=true

# send JSON [TIMEOUT]: uses a pipe, since the JSON may be too long for an argument.
send() {
  printf '%s' "$1" | curl -sf -m "${2:-10}" -o /dev/null "$server/api/events" -H "X-OBS-Key: $key" --data-binary @- || sent=false
}
flush() { echo "flush $sent"; }

case $scenario in
  messages) for level in info warning error; do send "{\"message\":\"compat $level\",\"level\":\"$level\"}"; done ;;
  causes) send '{"type":"Shell","message":"outer","causes":[{"message":"middle"},{"message":"root"}]}' ;;
  not-an-error) send '{"message":"just a string"}' ;;
  unicode) send '{"message":"naïve 日本語 🦀 a\u0000b","extra":{"key 🦀":"日本語"}}' ;;
  large-extra) send "{\"message\":\"large extra\",\"extra\":{\"blob\":\"$(head -c 900000 /dev/zero | tr '\0' x)\"}}" ;;
  html) send '{"message":"<script>alert(\"compat\")</script>"}' ;;
  options) send '{"message":"options","level":"warning","environment":"staging","release":"1.2.3","server_name":"host-7",
    "extra":{"app":"call","kept":true,"n":1}}' ;;
  fingerprint) for text in first second; do send "{\"message\":\"$text text\",\"fingerprint\":[\"compat-group\"]}"; done ;;
  two-flushes) send '{"message":"first"}'; flush; send '{"message":"second"}' ;;
  wrong-key) send '{"message":"wrong key"}' ;;
  silent-server) send '{"message":"no answer"}' 2 ;;
  *) exit 64 ;;
esac
flush
