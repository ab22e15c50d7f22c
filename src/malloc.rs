//! Tells glibc's malloc to give memory back. It takes this from its environment alone, before `main`, so obs starts itself
//! once more with it; the other way, `mallopt`, is `unsafe`.
use std::env;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// By default each of 16 arenas keeps what its largest requests took: 300 clients that ask for large pages and never
/// read left 80 MB behind, at a peak of 180. With this it is 22 MB and 63, and ingest is as fast.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "16384"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// Returns in the process that has the settings, or where whoever started it chose their own. The names of those that are
/// obs's own, which other programs have no use for.
pub fn settle() -> Vec<&'static str> {
    if SETTINGS.iter().any(|(name, _)| env::var_os(name).is_some()) {
        let own = SETTINGS.iter().all(|(name, value)| env::var_os(name).is_some_and(|set| set == *value));
        return if own { SETTINGS.map(|(name, _)| name).into() } else { Vec::new() };
    }
    let mut args = env::args_os();
    if let (Ok(program), Some(name)) = (env::current_exe(), args.next()) {
        // Comes back only if it failed: then all goes on with the default.
        let _ = Command::new(program).arg0(name).args(args).envs(SETTINGS).exec();
    }
    Vec::new()
}
