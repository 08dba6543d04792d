use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::{Cli, Global};
use crate::outcome::Outcome;

/// print a shell's completion script
///
/// For bash: `virt-esx completion bash > ~/.local/share/bash-completion/completions/virt-esx`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// shell
    #[arg(value_name = "shell", value_enum)]
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, _: &Global) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "virt-esx", &mut script);
        Outcome::success(String::from_utf8_lossy(&script).into_owned())
    }
}
