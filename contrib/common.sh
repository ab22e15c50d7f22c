# Functions that the scripts in this folder share. They source it with $here set to the folder.

# fail TEXT [STATUS]: exits with an error. Status 2 is for a missing or bad setting, as in obs itself.
fail() {
  echo "${0##*/}: $1" >&2
  exit "${2:-1}"
}

# render PROGRAM: runs a jq program, which may use the functions of text.jq, on the alert from standard input.
render() {
  jq --slurp --raw-output --compact-output -L "$here" "include \"text\"; alert | $1"
}

# post URL JSON [TOKEN]: exits unless the receiver answers 2xx within 8 seconds; obs kills the script after 10.
# The URL and the token are secrets, and any user of the machine can read arguments, so curl reads both from a
# file descriptor. They are quoted there, and a URL or a token contains no quotes.
post() {
  case $1 in http://?* | https://?*) ;; *) fail 'the URL must begin with http:// or https://' 2 ;; esac
  case $1${3:-} in *[[:space:][:cntrl:]\"\\]*) fail 'the URL or the token contains a space, a quote or a backslash' 2 ;; esac
  token_line=${3:+header = \"Authorization: Bearer $3\"}
  status=$(
    curl --silent --show-error --globoff --max-time "${ALERT_TIMEOUT:-8}" --config /dev/fd/3 \
      --header 'Content-Type: application/json' --data-binary @- --output /dev/null --write-out '%{http_code}' 3<<CONFIG <<BODY
url = "$1"
$token_line
CONFIG
$2
BODY
  ) || exit 1 # curl has printed the reason
  case $status in 2??) ;; *) fail "the receiver answered $status" ;; esac
}
