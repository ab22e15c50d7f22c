//! Runs obs as a command that exits, and inspects the files it leaves.
use super::Folder;
use super::eventually;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A child process that is killed when dropped.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command until it exits and returns its exit status, standard output and standard error.
pub fn outcome(command: &mut Command) -> (i32, String, String) {
    let mut child = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let status = eventually("the command exits", || child.0.try_wait().unwrap());
    let (mut output, mut errors) = (String::new(), String::new());
    child.0.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    child.0.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    (status.code().unwrap(), output, errors)
}

/// Runs a command that must fail with this exit status, and returns its one line on standard error.
pub fn refused(command: &mut Command, expected: i32) -> String {
    let (status, output, errors) = outcome(command);
    assert_eq!(status, expected, "{command:?}: {errors}");
    assert_eq!(output, "", "{command:?}");
    assert!(
        errors.starts_with("obs: ") && errors.ends_with('\n') && errors.lines().count() == 1,
        "expected one line: {errors}"
    );
    errors
}

/// Imports lines into a database that no server has open, which must succeed. Returns what obs prints.
pub fn import(database: &Path, lines: &str) -> String {
    let file = database.with_extension("jsonl");
    fs::write(&file, lines).unwrap();
    let args = ["import", file.to_str().unwrap(), "--db", database.to_str().unwrap()];
    let (status, output, errors) = outcome(&mut super::command(&args, &[]));
    assert_eq!((status, output.as_str()), (0, ""), "{errors}");
    errors
}

/// The names of the files in a folder, sorted.
pub fn names(folder: &Folder) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder.join("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
