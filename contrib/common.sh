# What the scripts of this folder share. They read it, with $here set to the folder; it is not run.

# fail TEXT [STATUS]: 2 is for a setting that is missing or bad, as obs itself does.
fail() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

# render PROGRAM: the alert on standard input, through a jq program that has the words of text.jq.
render() {
  jq --slurp --raw-output --compact-output -L "$here" "include \"text\"; alert | $1"
}

# post URL JSON [TOKEN]: ends the script unless the receiver answers 2xx in time: in 8 seconds, since obs ends a script after 10.
# Every user of the machine can read arguments, and URL and token are secrets: so curl reads them from a descriptor.
# There they stand in quotes, which no URL and no token has.
post() {
  case $1 in http://?* | https://?*) ;; *) fail 'the URL must begin with http:// or https://' 2 ;; esac
  case $1${3:-} in *[[:space:][:cntrl:]\"\\]*) fail 'a blank, a quote or a backslash in the URL or the token' 2 ;; esac
  token_line=${3:+header = \"Authorization: Bearer $3\"}
  status=$(
    curl --silent --show-error --globoff --max-time "${ALERT_TIMEOUT:-8}" --config /dev/fd/3 \
      --header 'Content-Type: application/json' --data-binary @- --output /dev/null --write-out '%{http_code}' 3<<CONFIG <<BODY
url = "$1"
$token_line
CONFIG
$2
BODY
  ) || exit 1 # curl has said why
  case $status in 2??) ;; *) fail "the receiver answered $status" ;; esac
}
