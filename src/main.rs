//! Runs what the command line asks for, prints the error, sets the exit status.
use obs::config::{self, Command};
use obs::{log, malloc, serve, store, transfer};
use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match config::parse(env::args_os().skip(1).collect()) {
        Ok(command) => command,
        Err(wrong) => return fail(&wrong, 2),
    };
    let done = match command {
        Command::Help => print(config::HELP),
        Command::Version => print(concat!("obs ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Backup { database, dest } => store::backup(&database, &dest),
        Command::Export { database, wanted } => transfer::export(&database, wanted),
        Command::Import { database, file } => transfer::import(&database, &file),
        Command::Serve(config) => {
            let own_variables = malloc::settle();
            serve::run(config, own_variables)
        }
        Command::TestAlert(config) => serve::test_alert(config).and_then(|outcome| print(&outcome)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why, 1),
    }
}

fn print(text: &str) -> Result<(), String> {
    io::stdout().write_all(text.as_bytes()).map_err(|e| format!("cannot write to standard output: {e}"))
}

fn fail(why: &str, status: u8) -> ExitCode {
    log::plain(&format!("obs: {why}"));
    ExitCode::from(status)
}
