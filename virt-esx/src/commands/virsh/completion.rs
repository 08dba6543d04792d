use clap_complete::Shell;

use crate::cli;
use crate::commands::LocalCommand;
use crate::failure::Failure;
use crate::ui::Ui;

/// print a shell's completion script
///
/// For bash: `virt-esx completion bash > ~/.local/share/bash-completion/completions/virt-esx`. For zsh: `_virt-esx` in a folder of
/// `fpath`. For fish: `~/.config/fish/completions/virt-esx.fish`.
///
/// The scripts of these three ask `virt-esx complete`, which knows the names of domains, snapshots, pools, volumes, networks,
/// interfaces and devices, too.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// shell
    #[arg(value_name = "shell", value_enum)]
    shell: Shell,
}

impl LocalCommand for Completion {
    fn run(self, ui: &Ui) -> Result<(), Failure> {
        let script = match self.shell {
            Shell::Bash => include_str!("../../../completions/virt-esx.bash").to_owned(),
            Shell::Zsh => include_str!("../../../completions/virt-esx.zsh").to_owned(),
            Shell::Fish => include_str!("../../../completions/virt-esx.fish").to_owned(),
            other => {
                let mut script = Vec::new();
                clap_complete::generate(other, &mut cli::tree(), "virt-esx", &mut script);
                String::from_utf8_lossy(&script).into_owned()
            }
        };
        Ok(ui.document(&script)?)
    }
}
