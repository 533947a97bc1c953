//! When two URLs are the same page.

use url::{Host, Url};

/// Parameters that say where a visitor came from, not what is shown.
const TRACKING: [&str; 14] = [
    "fbclid", "gclid", "dclid", "gclsrc", "msclkid", "yclid", "igshid", "mc_cid", "mc_eid", "ref_src",
    "ref_url", "cmpid", "smid", "ncid",
];

/// Ports of `http` and `https`, which are the same here.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// The page that a URL leads to: two URLs with equal results count as one. `None` if it is not an HTTP address.
///
/// On top of the WHATWG URL standard (lower-case host, punycode, default ports, dot segments): `http` and `https`
/// are the same, so is a host with and without `www.` or a final dot; user names, fragments, tracking parameters
/// (`utm_…` and the like), an empty query and slashes at the end of the path are dropped; percent-encoded letters,
/// digits and `-._~` are decoded, other percent-encodings in upper case. The order of parameters stays.
pub fn normalise_url(url: &str) -> Option<String> {
    let url = Url::parse(url.trim()).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut host = url.host_str()?.trim_end_matches('.');
    while let Some(rest) = host.strip_prefix("www.").filter(|rest| rest.contains('.')) {
        host = rest;
    }
    // Without its final dot or `www.` it may be an address: `0.` is a name, `0` is 0.0.0.0.
    let mut page = Host::parse(host).ok()?.to_string();
    if let Some(port) = url.port().filter(|port| !DEFAULT_PORTS.contains(port)) {
        page.push_str(&format!(":{port}"));
    }
    let path = decode_unreserved(url.path());
    let path = path.trim_end_matches('/');
    page.push_str(if path.is_empty() { "/" } else { path });
    let parameters = url.query().unwrap_or_default().split('&').map(decode_unreserved);
    let kept = parameters.filter(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        !parameter.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&&*name)
    });
    for (i, parameter) in kept.enumerate() {
        page.push(if i == 0 { '?' } else { '&' });
        page.push_str(&parameter);
    }
    Some(page)
}

/// The host of a normalised URL, without its port.
pub(crate) fn host(page: &str) -> &str {
    let host = page.split(['/', '?']).next().unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn decode_unreserved(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(code) = code else {
            decoded.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        let byte = u8::from_str_radix(code, 16).unwrap_or_default();
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            decoded.push(char::from(byte));
        } else {
            decoded.push('%');
            decoded.push_str(&code.to_ascii_uppercase());
        }
        rest = &rest[at + 3..];
    }
    decoded + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalise_url_spellings_of_one_page_agree() {
        let page = Some("example.com/a/B~c?x=1&y=%2F".to_owned());
        for url in [
            "http://example.com/a/B~c?x=1&y=%2F",
            "https://www.EXAMPLE.com:443/a/B%7ec/?x=1&y=%2f#part",
            "https://example.com:80/a/B~c?x=1&y=%2F",
            " http://user:secret@example.com.:80/a/./z/../B~c//?utm_source=feed&x=1&fbclid=Iw&y=%2f ",
        ] {
            assert_eq!(normalise_url(url), page, "{url}");
        }
        assert_eq!(normalise_url("HTTP://Example.com").as_deref(), Some("example.com/"));
        assert_eq!(normalise_url("http://example.com?").as_deref(), Some("example.com/"));
        assert_eq!(normalise_url("http://bücher.example/ü").as_deref(), Some("xn--bcher-kva.example/%C3%BC"));
        assert_eq!(normalise_url("http://0../").as_deref(), Some("0.0.0.0/"));
        assert_eq!(normalise_url("http://www.com/").as_deref(), Some("www.com/"));
        assert_eq!(normalise_url("http://[::1]:8080/a%zz%").as_deref(), Some("[::1]:8080/a%zz%"));
    }

    #[test]
    fn normalise_url_other_pages_differ() {
        let different =
            ["http://a.example/x", "http://a.example/X", "http://a.example/x?p=1", "http://b.a.example/x"];
        for (i, a) in different.iter().enumerate() {
            for b in &different[..i] {
                assert_ne!(normalise_url(a), normalise_url(b));
            }
        }
        for other in [
            "",
            "example.com",
            "ftp://example.com/",
            "mailto:a@b.example",
            "http://",
            "dns:example.com",
            "/r/x",
        ] {
            assert_eq!(normalise_url(other), None, "{other}");
        }
    }

    #[test]
    fn host_of_a_normalised_url_has_no_port() {
        for (page, name) in
            [("a.example/x:1", "a.example"), ("a.example:8080/x", "a.example"), ("[::1]:80/", "[::1]")]
        {
            assert_eq!(host(page), name);
        }
    }

    proptest! {
        #[test]
        fn normalise_url_is_idempotent(url in "https?://[a-zA-Z0-9.-]{1,12}(:[0-9]{1,4})?/[ -~é]{0,30}") {
            if let Some(page) = normalise_url(&url) {
                prop_assert_eq!(normalise_url(&format!("http://{page}")), Some(page));
            }
        }

        #[test]
        fn normalise_url_any_string_never_panics(url in "\\PC*") {
            let _ = normalise_url(&url);
        }
    }
}
