# The wording of an alert, the same for every receiver: a headline and a few lines of details.

# The alert. Without --slurp, jq would accept empty standard input.
def alert:
  if length == 1 and (.[0] | type) == "object" then .[0] else error("standard input is not one JSON object") end;

# At most $n characters.
def cut($n): if length > $n then .[:$n - 1] + "…" else . end;

# Any value as one line: control characters and line breaks become spaces.
def line:
  tostring | explode | map(if . < 32 or (. > 126 and . < 160) or . == 8232 or . == 8233 then 32 else . end) | implode;

# Unlike gsub, takes $old literally; gsub in jq 1.6 also needs a second for a thousand matches.
def replace($old; $new): split($old) | join($new);

# One line of at most 120 characters: "[shop] New error: TypeError: x is undefined".
def headline:
  def what:
    if .kind == "new" then "New \(.issue.level // "issue")"
    elif .kind == "reopened" then "Reopened"
    elif .kind == "rate" then "\(.events_last_hour // "Many") events this hour"
    elif .kind == "summary" then "Alerts held back"
    elif .kind == "test" then "Test"
    else .kind // "Alert" end;
  def subject:
    if .kind == "summary" then .held_back // {} | to_entries | map(select(.value > 0) | "\(.value) \(.key)") | join(", ")
    else .issue.title // "obs" end;
  "\(.issue.project // "" | if . == "" then "" else "[\(.)] " end)\(what): \(subject)" | line | cut(120);

# The facts as short lines, then the message unchanged. Never empty, since some receivers refuse an empty text.
def details:
  def fact($name): if . == null or . == "" then empty else "\($name): \(line | cut(100))" end;
  def facts:
    (.issue.culprit | fact("in")),
    (.event.environment // .issue.environment | fact("environment")),
    (.event.release // .issue.release | fact("release")),
    (.event.server_name | fact("server")),
    (.issue.count | fact("events so far")),
    (.issue.first_seen | fact("first seen"));
  def note:
    if .kind == "summary" then "obs held these alerts back to avoid flooding you."
    elif .kind == "test" then "This is what an obs alert looks like."
    else "" end;
  [note, ([facts] | join("\n")), (.event.message // .issue.message // "" | tostring)]
  | map(select(. != "")) | join("\n\n")
  | if . == "" then "See the dashboard for details." else . end;
