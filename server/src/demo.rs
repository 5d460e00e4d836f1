//! The demo.

/// Runs it.
pub fn run(_arguments: &crate::cli::DemoArguments) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
