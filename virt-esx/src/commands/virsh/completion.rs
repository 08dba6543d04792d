use clap_complete::Shell;

use crate::cli;
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::ui::Ui;

/// print a shell's completion script
///
/// For bash: `virt-esx completion bash > ~/.local/share/bash-completion/completions/virt-esx`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// shell
    #[arg(value_name = "shell", value_enum)]
    shell: Shell,
}

impl LocalCommand for Completion {
    fn run(self, ui: &Ui) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut cli::tree(), "virt-esx", &mut script);
        Ok(ui.document(&String::from_utf8_lossy(&script))?)
    }
}
