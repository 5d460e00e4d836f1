//! Compiles every .proto file below `souk/` into messages, clients, servers and a descriptor set.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context;
use prost::Message;

const ROOT: &str = "souk";

fn main() -> anyhow::Result<()> {
    println!("cargo:rerun-if-changed={ROOT}");
    let mut files = Vec::new();
    collect_proto_files(Path::new(ROOT), &mut files)?;
    files.sort();

    let descriptors = protox::Compiler::new(["."])?
        .include_source_info(true)
        .include_imports(true)
        .open_files(files)?
        .file_descriptor_set();

    let out_dir = PathBuf::from(env::var("OUT_DIR").context("failed to read OUT_DIR")?);
    fs::write(out_dir.join("souk.descriptors.bin"), descriptors.encode_to_vec())
        .context("failed to write the descriptor set")?;
    tonic_prost_build::configure()
        .btree_map(".")
        // Columns are lent from the message that they came in.
        .bytes(".souk.metering.v1.UsageColumns")
        .compile_fds(descriptors)
        .context("failed to generate code")?;
    Ok(())
}

/// Adds the .proto files of a folder and of the folders in it.
fn collect_proto_files(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect_proto_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
