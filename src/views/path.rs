//! How the paths of a stack trace are written: without the directory that all share, the file loud, breakable.
use super::text::cut_front;
use crate::event::frame::Frame;
use crate::html;
use crate::views::html::Html;
use std::borrow::Cow;

const SEPARATORS: [char; 2] = ['/', '\\'];
/// A name breaks after these, before it breaks elsewhere.
const BREAKS: [char; 5] = ['/', '\\', ':', '.', '>'];
/// Characters of a path that are shown, and of one so short that it needs no help to break.
const LONGEST: usize = 200;
const SHORT: usize = 32;

/// A directory that the application lies in, as this path tells: for a file of its own the one above the file's
/// directory, so that both stay to be seen; for a library's file the one with the libraries.
pub fn root(path: &str, own: bool) -> Option<&str> {
    if own {
        return (!path.is_empty()).then(|| parent(parent(path)));
    }
    let at = path.find("/vendor/").or_else(|| path.find("/node_modules/"))?;
    Some(&path[..=at])
}

/// What absolute directories begin with, as a directory. Nothing if it is only a root or a scheme.
pub fn shared_directory<'a>(directories: impl Iterator<Item = &'a str>) -> &'a str {
    let shared = directories.reduce(|shared, directory| {
        let same = shared.bytes().zip(directory.bytes()).take_while(|(a, b)| a == b).count();
        let end = shared.as_bytes()[..same].iter().rposition(|b| matches!(b, b'/' | b'\\'));
        end.map_or("", |end| &shared[..=end])
    });
    let tells = |path: &&str| path.contains(':') && !path.ends_with("//") || path.len() > 1 && path.starts_with('/');
    shared.filter(tells).unwrap_or("")
}

/// The directory around a path, with its last separator; nothing for what is in none.
pub fn parent(path: &str) -> &str {
    let path = path.strip_suffix(SEPARATORS).unwrap_or(path);
    &path[..path.rfind(SEPARATORS).map_or(0, |at| at + 1)]
}

/// A frame's path below the shared directory.
pub fn below<'a>(frame: &'a Frame, shared: &str) -> Cow<'a, str> {
    cut_front(frame.filename.strip_prefix(shared).unwrap_or(&frame.filename), LONGEST)
}

/// Where a frame is: `src/`**`cart.ts`**`:141:18`, below the shared directory.
pub fn place(frame: &Frame, shared: &str) -> Html {
    let path = below(frame, shared);
    let (directory, file) = path.split_at(parent(&path).len());
    let directory = (!directory.is_empty()).then(|| html!("<span>{}</span>", breakable(directory)));
    let column = frame.colno.map(|column| html!(":{}", column));
    let line = frame.lineno.map(|line| html!("<i>:{}{}</i>", line, column));
    html!("<span>{}<b>{}</b>{}</span>", directory, file, line)
}

/// A long name with places where a line may end.
pub fn breakable(name: &str) -> Html {
    if name.chars().nth(SHORT).is_none() {
        return html!("{}", name);
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, pair) in name.as_bytes().windows(2).enumerate() {
        let [breaks, goes_on] = [pair[0], pair[1]].map(|byte| BREAKS.contains(&char::from(byte)));
        if breaks && !goes_on {
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
    fn own_paths_share_a_directory_above_those_of_their_files() {
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php", "/srv/shop/public/index.php"]), "/srv/shop/");
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php", "/srv/shop/vendor/a/b/c.php"]), "/srv/shop/");
        assert_eq!(shared(&["/srv/shop/src/Cart/Total.php"]), "/srv/shop/src/");
        assert_eq!(shared(&["/srv/shop/index.php", "/srv/shopping/index.php"]), "/srv/");
        assert_eq!(shared(&["https://shop.example/assets/app.js"]), "https://shop.example/");
        assert_eq!(shared(&[r"C:\shop\src\a.cs", r"C:\shop\lib\b.cs"]), r"C:\shop\");
    }

    #[test]
    fn little_or_nothing_shared_is_left_in_place() {
        for none in
            [&["/a/b.go", "/c/d.go"][..], &["src/api/x/a.go"], &["/a.go"], &["https://x/a.js"], &["x"], &[""], &[]]
        {
            assert_eq!(shared(none), "", "{none:?}");
        }
    }

    #[test]
    fn a_place_has_a_loud_file_and_its_line() {
        let frame =
            |filename: &str, lineno, colno| Frame { filename: filename.into(), lineno, colno, ..Frame::default() };
        assert_eq!(
            place(&frame("/srv/shop/src/a.php", Some(7), None), "/srv/shop/").as_str(),
            "<span><span>src/</span><b>a.php</b><i>:7</i></span>"
        );
        assert_eq!(place(&frame("a.js", Some(1), Some(99)), "").as_str(), "<span><b>a.js</b><i>:1:99</i></span>");
        assert_eq!(place(&frame("", None, None), "").as_str(), "<span><b></b></span>");
    }

    #[test]
    fn long_names_break_after_their_parts() {
        assert_eq!(breakable("a/b").as_str(), "a/b");
        assert_eq!(
            breakable(r"Symfony\Component\HttpKernel->handle::<x>…é").as_str(),
            r"Symfony\<wbr>Component\<wbr>HttpKernel-&gt;<wbr>handle::<wbr>&lt;x&gt;<wbr>…é"
        );
    }
}
