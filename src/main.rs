//! Runs the command that was given on the command line, prints its error and sets the exit status.
use obs::config::{self, Command};
use obs::{log, malloc, serve, store, transfer};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn main() -> ExitCode {
    // First of all, because a secret may come from a pipe, which can be read only once.
    malloc::restart_with_settings();
    let command = match config::parse(env::args_os().skip(1).collect()) {
        Ok(command) => command,
        Err(error) => return fail(&error, 2),
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

fn run(command: Command) -> Result<(), String> {
    match command {
        Command::Help => print(config::HELP),
        Command::Version => print(concat!("obs ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Backup { database, dest } => {
            let stop = Arc::new(AtomicBool::new(false));
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                flag::register(signal, stop.clone()).map_err(|e| format!("cannot handle signals: {e}"))?;
            }
            store::backup(&database, &dest, stop)
        }
        Command::Export { database, filter } => transfer::export(&database, filter),
        Command::Import { database, file } => transfer::import(&database, &file),
        Command::TestAlert(config) => print(&serve::test_alert(&config)?),
        Command::Health { server, path } => print(&serve::health(&server, &path)?),
        Command::Serve(config) => serve::run(config),
    }
}

fn print(text: &str) -> Result<(), String> {
    io::stdout().write_all(text.as_bytes()).map_err(|e| format!("cannot write to standard output: {e}"))
}

fn fail(error: &str, status: u8) -> ExitCode {
    log::plain(&format!("obs: {error}"));
    ExitCode::from(status)
}
