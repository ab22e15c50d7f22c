//! What is packaged with the binary, compared with the binary: man page, units, settings, versions; and the backup script.
//! `make dist-test` tests the packages themselves.
mod common;
use common::process::{names, outcome};
use common::{Folder, command};
use obs::malloc;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn path(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file).to_str().unwrap().into()
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

fn help() -> String {
    outcome(&mut command(&["--help"], &[])).1
}

/// The man page as a terminal shows it, on lines that are wide enough for every synopsis.
fn man_page() -> String {
    let (status, page, errors) =
        outcome(Command::new("mandoc").args(["-T", "utf8", "-O", "width=200", &path("docs/obs.1")]));
    assert_eq!((status, errors.as_str()), (0, ""));
    // Bold and underlined characters are a character, a backspace, and a character.
    let mut plain = String::new();
    for c in page.chars() {
        if c == '\u{8}' { _ = plain.pop() } else { plain.push(c) }
    }
    plain
}

/// The flags and variables that a text names.
fn flags_and_variables(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.filter(|word| word.starts_with('-') && word.len() > 1 || word.starts_with("OBS_")).collect()
}

fn defaults(text: &str) -> BTreeSet<String> {
    let defaults = text.split("[default: ").skip(1).map(|rest| rest.split(']').next().unwrap());
    defaults.map(|default| default.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn synopsis(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| line.starts_with("obs ") && !line.ends_with('.')).collect()
}

#[test]
fn the_man_page_says_what_help_says() {
    let (help, page) = (help(), man_page());
    let usage = help.split("Usage:").nth(1).unwrap().split("Without a command").next().unwrap();
    assert_eq!(synopsis(page.split("SYNOPSIS").nth(1).unwrap().split("DESCRIPTION").next().unwrap()), synopsis(usage));
    // What follows has commands of other programs.
    let page = page.split("\nFILES").next().unwrap();
    assert_eq!(flags_and_variables(page), flags_and_variables(&help));
    assert_eq!(defaults(page), defaults(&help));
}

#[test]
fn the_man_page_names_each_flag_with_its_value_and_variable() {
    let (help, page) = (help(), man_page());
    let options = help.lines().filter(|line| line.starts_with("  --")).filter_map(|line| line.split_once("OBS_"));
    assert!(options.clone().count() > 5, "{help}");
    for (flag, rest) in options {
        let option = format!("{}, OBS_{}", flag.trim(), rest.split(' ').next().unwrap());
        assert!(page.lines().any(|line| line.trim() == option), "{option}");
    }
}

#[test]
fn the_man_page_is_well_formed() {
    let (status, findings, _) =
        outcome(Command::new("mandoc").args(["-T", "lint", "-W", "warning", &path("docs/obs.1")]));
    assert_eq!((status, findings.as_str()), (0, ""));
}

#[test]
fn the_settings_that_come_with_the_package_exist() {
    let (help, settings) = (help(), read("packaging/debian/obs.env"));
    let known = flags_and_variables(&help);
    let set = settings.lines().filter_map(|line| line.trim_start_matches('#').split_once('=')).map(|(name, _)| name);
    let unknown: Vec<_> = set.filter(|name| name.starts_with("OBS_") && !known.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let on = settings.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(on, None, "every setting is a comment");
}

#[test]
fn unit_and_container_set_what_obs_would_restart_itself_for() {
    for file in ["packaging/systemd/obs.service", "packaging/container/Containerfile"] {
        let text = read(file);
        for (name, value) in malloc::SETTINGS {
            assert!(text.split_whitespace().any(|word| word.ends_with(&format!("{name}={value}"))), "{file}: {name}");
        }
    }
}

#[test]
fn the_units_are_hardened() {
    for unit in ["obs.service", "obs-backup.service"] {
        let file = path(&format!("packaging/systemd/{unit}"));
        // The threshold is ten times the exposure that is printed.
        let arguments = ["security", "--offline=true", "--threshold=20", "--no-pager", &file];
        let (status, report, errors) = outcome(Command::new("systemd-analyze").args(arguments));
        assert_eq!(status, 0, "{report}{errors}");
    }
}

/// Runs the backup script as its unit does, with this `obs` on the path.
fn back_up(folder: &Folder, keep: &str) -> (i32, String, String) {
    let obs = Path::new(env!("CARGO_BIN_EXE_obs")).parent().unwrap().to_str().unwrap();
    let mut script = Command::new(path("packaging/systemd/backup"));
    script.arg(folder.join("backups")).arg(keep).env("OBS_DB_PATH", folder.join("obs.sqlite"));
    outcome(script.env("PATH", format!("{obs}:/usr/bin:/bin")))
}

#[test]
fn the_backup_script_keeps_the_newest() {
    let folder = Folder::new();
    common::process::import(&folder.join("obs.sqlite"), "");
    fs::create_dir(folder.join("backups")).unwrap();
    let add = |name: &str| fs::write(folder.join("backups").join(name), "").unwrap();
    let old = ["obs-2020-01-01T000000Z.sqlite", "obs-2020-01-02T000000Z.sqlite", "obs-2020-01-03T000000Z.sqlite"];
    old.into_iter().for_each(add);
    add("obs-2020-01-03T000000Z.sqlite.unfinished-1");
    add("somebody else's");

    assert_eq!(back_up(&folder, "3"), (0, String::new(), String::new()));
    let mut left: Vec<_> = fs::read_dir(folder.join("backups")).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left.len(), 4, "{left:?}");
    assert_eq!([&left[0], &left[1], &left[3]], [old[1], old[2], "somebody else's"]);
    assert!(common::open(&folder.join("backups").join(&left[2])).is_readonly("main").is_ok());
}

#[test]
fn a_backup_that_fails_removes_no_other() {
    let folder = Folder::new();
    fs::create_dir(folder.join("backups")).unwrap();
    fs::write(folder.join("backups/obs-2020-01-01T000000Z.sqlite"), "").unwrap();
    fs::write(folder.join("obs.sqlite"), "not a database").unwrap();
    let (status, _, errors) = back_up(&folder, "0");
    assert_eq!(status, 1, "{errors}");
    assert_eq!(fs::read_dir(folder.join("backups")).unwrap().count(), 1, "{:?}", names(&folder));
}

#[test]
fn server_and_sdks_have_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(read("sdk/go/obs.go").contains(&format!("const Version = \"{version}\"")));
    assert!(read("sdk/php/src/Client.php").contains(&format!("const VERSION = '{version}'")));
    assert!(read("sdk/js/obs.js").contains(&format!("version: '{version}'")));
    for file in ["sdk/js/package.json", "sdk/js/package-lock.json"] {
        assert_eq!(serde_json::from_str::<Value>(&read(file)).unwrap()["version"], version, "{file}");
    }
    assert!(read("README.md").contains(&format!("obs {version} listening on")));
}
