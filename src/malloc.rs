//! Makes glibc's malloc return memory to the system. glibc reads these settings from the environment before `main`, so
//! obs sets them and restarts itself. The alternative, `mallopt`, is `unsafe`.
use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// By default each of 16 arenas keeps the memory of its largest requests: 300 clients that requested large
/// pages and never read them left 80 MB behind, after a peak of 180 MB. With these settings it is 22 MB and
/// 63 MB, and ingest is as fast.
pub const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "16384"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// Restarts obs with the settings. Returns if one of them is already set, by obs itself or by the operator.
pub fn restart_with_settings() {
    if SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some()) {
        return;
    }
    let mut args = env::args_os();
    if let (Ok(program), Some(name)) = (env::current_exe(), args.next()) {
        // `exec` returns only on failure. obs then runs with the defaults.
        let _ = Command::new(program).arg0(name).args(args).envs(SETTINGS).exec();
    }
}
