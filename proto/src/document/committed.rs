//! Compares what is generated with the files of the repository that hold it.

use std::path::PathBuf;
use std::{env, fs};

/// Fails if a file, named from the root of the repository, does not hold the text; renews it when asked to.
pub(super) fn check(path: &str, text: &str) {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", path].iter().collect();
    if env::var_os("SOUK_RENEW").is_some() {
        fs::write(&file, text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "{path} is out of date; renew it by `SOUK_RENEW=1 cargo test -p souk-proto document`"
    );
}
