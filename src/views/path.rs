//! How the paths of a stack trace are written: without their shared directory, and with places to break a line.
use super::html::{Html, html};

const SEPARATORS: [char; 2] = ['/', '\\'];
/// Characters after which a long name may break.
const BREAKS: [char; 5] = ['/', '\\', ':', '.', '>'];
/// Names of up to this many characters need no help to break.
const SHORT: usize = 32;

/// A directory that contains the application. For an own file it is one above the file's directory, so that the
/// page shows both; for a library's file, the one that contains the libraries.
pub fn root(path: &str, own: bool) -> Option<&str> {
    if own {
        return (!path.is_empty()).then(|| parent(parent(path)));
    }
    let at = path.find("/vendor/").or_else(|| path.find("/node_modules/"))?;
    Some(&path[..=at])
}

/// The absolute directory that all of these are in; empty if that is only a root or a scheme.
pub fn shared_directory<'a>(directories: impl Iterator<Item = &'a str>) -> &'a str {
    let shared = directories.reduce(|shared, directory| {
        let same = shared.bytes().zip(directory.bytes()).take_while(|(a, b)| a == b).count();
        let end = shared.as_bytes()[..same].iter().rposition(|b| matches!(b, b'/' | b'\\'));
        end.map_or("", |end| &shared[..=end])
    });
    let is_useful =
        |path: &&str| path.contains(':') && !path.ends_with("//") || path.len() > 1 && path.starts_with('/');
    shared.filter(is_useful).unwrap_or("")
}

/// A path's directory, with its last separator; empty if there is none.
fn parent(path: &str) -> &str {
    let path = path.strip_suffix(SEPARATORS).unwrap_or(path);
    &path[..path.rfind(SEPARATORS).map_or(0, |at| at + 1)]
}

/// Where a frame is, with the file set off from its directory: `src/`**`cart.ts`**`:141:18`.
pub fn place(path: &str, line: &str) -> Html {
    let (directory, file) = path.split_at(parent(path).len());
    let directory = (!directory.is_empty()).then(|| html!("<span>{}</span>", breakable(directory)));
    let line = (!line.is_empty()).then(|| html!("<i>{}</i>", line));
    html!("<span>{}<b>{}</b>{}</span>", directory, file, line)
}

/// A long name with places where a line may break.
pub fn breakable(name: &str) -> Html {
    if name.chars().nth(SHORT).is_none() {
        return html!("{}", name);
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, pair) in name.as_bytes().windows(2).enumerate() {
        let [breaks, repeats] = [pair[0], pair[1]].map(|byte| BREAKS.contains(&char::from(byte)));
        if breaks && !repeats {
            parts.push(html!("{}", &name[from..=at]));
            from = at + 1;
        }
    }
    parts.push(html!("{}", &name[from..]));
    Html::join(parts, &html!("<wbr>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(paths: &[&'static str]) -> &'static str {
        shared_directory(paths.iter().filter_map(|path| root(path, !path.contains("/vendor/"))))
    }

    #[test]
    fn the_shared_directory_is_above_the_directories_of_own_files() {
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php", "/srv/shop/public/index.php"]), "/srv/shop/");
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php", "/srv/shop/vendor/a/b/c.php"]), "/srv/shop/");
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php"]), "/srv/shop/src/");
        assert_eq!(shared(&["/srv/shop/index.php", "/srv/shopping/index.php"]), "/srv/");
        assert_eq!(shared(&["https://shop.example/assets/app.js"]), "https://shop.example/");
        assert_eq!(shared(&[r"C:\shop\src\a.cs", r"C:\shop\lib\b.cs"]), r"C:\shop\");
    }

    #[test]
    fn paths_that_share_little_have_no_shared_directory() {
        for none in
            [&["/a/b.go", "/c/d.go"][..], &["src/api/x/a.go"], &["/a.go"], &["https://x/a.js"], &["x"], &[""], &[]]
        {
            assert_eq!(shared(none), "", "{none:?}");
        }
    }

    #[test]
    fn a_place_sets_off_the_file_and_its_line() {
        assert_eq!(place("src/a.php", ":7").as_str(), "<span><span>src/</span><b>a.php</b><i>:7</i></span>");
        assert_eq!(place("a.js", "").as_str(), "<span><b>a.js</b></span>");
    }

    #[test]
    fn long_names_may_break_after_each_part() {
        assert_eq!(breakable("a/b").as_str(), "a/b");
        assert_eq!(
            breakable(r"Symfony\Component\HttpKernel->handle::<x>…é").as_str(),
            r"Symfony\<wbr>Component\<wbr>HttpKernel-&gt;<wbr>handle::<wbr>&lt;x&gt;<wbr>…é"
        );
    }
}
