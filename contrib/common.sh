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

# post URL JSON [TOKEN [METHOD]]: exits unless the receiver answers 2xx within 8 seconds; obs kills the script after 10. Within
# that time, curl tries again up to three times after 408, 429, 5xx or a refused connection. It waits a second, or as
# long as Retry-After asks, and gives up if that is too long.
# The URL and the token are secrets, and any user of the machine can read arguments, so curl reads both from a
# file descriptor. They are quoted there, and a URL or a token contains no quotes.
post() {
  case $1 in http://?* | https://?*) ;; *) fail 'the URL must begin with http:// or https://' 2 ;; esac
  case $1${3:-} in *[[:space:][:cntrl:]\"\\]*) fail 'the URL or the token contains a space, a quote or a backslash' 2 ;; esac
  token_line=${3:+header = \"Authorization: Bearer $3\"}
  seconds=${ALERT_TIMEOUT:-8}
  # Prints a line for each attempt without an answer, then the last status. The body must not go to --output /dev/null:
  # before curl tries again it truncates that file, which fails.
  printed=$(
    timeout "$seconds" curl --silent --show-error --globoff --retry 3 --retry-delay 1 --retry-connrefused \
      --retry-max-time "0${seconds%.*}" --request "${4:-POST}" --config /dev/fd/3 --header 'Content-Type: application/json' --data-binary @- \
      --write-out '%{stderr}%{http_code}' 2>&1 >/dev/null 3<<CONFIG <<BODY
url = "$1"
$token_line
CONFIG
$2
BODY
  ) || case $? in
    124) fail "timed out after $seconds seconds" ;;
    *) printf '%s\n' "$printed" | head -n 1 >&2; exit 1 ;;
  esac
  status=${printed#"${printed%???}"} # the last three characters
  case $status in 2??) ;; *) fail "the receiver answered $status" ;; esac
}
