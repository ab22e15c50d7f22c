//! The text of `obs --help`.

pub const HELP: &str = "\
obs, a minimal self-hosted error tracker

Usage:
  obs [OPTIONS]
  obs backup DEST [--db PATH]
  obs export [--project P] [--since TIME] [--db PATH]
  obs import FILE|- [--db PATH]
  obs test-alert
  obs health [URL] [--listen ADDR:PORT]
  obs help | --help | --version

Without a command, obs runs the server.

Commands:
  backup       Copy the database to DEST, which must not exist. The server may be running.
  export       Write events to standard output as JSON Lines, in order of arrival. The server may be running.
               --project P   only events of this project ('' for the project without a name)
               --since TIME  only events that arrived at TIME or later, by the server's clock. TIME is ISO 8601, such as
                             2026-11-24 or 2026-11-24T18:42 (both UTC), or 2026-11-24T18:42:06+02:00
  import       Store exported events from FILE, or from standard input if it is -. The server must not be running.
               Creates the database if it does not exist. Skips events that are already stored.
  test-alert   Run OBS_ALERT_COMMAND once with a test alert, and print how it exits and what it prints.
  health       Ask the obs at URL, such as http://localhost:8000, whether it can store events. Exit with 0 if it can and
               with 1 if not. Plain HTTP only [default: the listen address]

Options and environment variables:
  --listen ADDR:PORT    OBS_LISTEN               Address to listen on; port 0 picks a free port
                                                 [default: localhost:8000]
  --db PATH             OBS_DB_PATH              Database file [default: obs.sqlite]
  --max-events N        OBS_MAX_EVENTS           Number of events to store. Beyond it, the oldest events of the
                                                 issue with the most events are removed [default: 1000000]
  --max-size SIZE       OBS_MAX_SIZE             Size of the database, such as 500MB or 20GB. Beyond it, events
                                                 are removed in the same order [default: 10GB]
  --max-sourcemaps SIZE OBS_MAX_SOURCEMAPS       Size of the source maps, apart from --max-size. Beyond it, the
                                                 least recently used ones are removed [default: 512MB]
  --retention-days N    OBS_RETENTION_DAYS       Number of days to store events [default: no limit]
  --public-dashboard    OBS_PUBLIC_DASHBOARD=1   Let everyone see the dashboard without a password
  --verbose                                      Log every request to standard error
                        OBS_API_KEY              Ingest keys: KEY or PROJECT=KEY, separated by commas
                                                 [default: a key generated on first start]
                        OBS_API_KEY_FILE         Instead, a file that contains the keys
                        OBS_RATE_LIMIT           Number of events that each key may send per minute
                                                 [default: no limit]
                        OBS_DASHBOARD_PASSWORD   Password of the dashboard; the user name does not matter
                                                 [default: none, and only this machine has access]
                        OBS_DASHBOARD_PASSWORD_FILE
                                                 Instead, a file that contains the password
                        OBS_ALERT_COMMAND        Command to run with sh -c when an issue is new or
                                                 reopened; it gets JSON on standard input [default: none]
                        OBS_ALERT_RATE           Also alert when an issue has more than this many events
                                                 in an hour [default: no limit]
                        OBS_URL                  URL at which people reach obs, such as
                                                 https://obs.example.com [default: the listen address]
  -h, --help                                     Print this help
  -V, --version                                  Print the version

A flag overrides its environment variable. An empty variable counts as unset.
";
