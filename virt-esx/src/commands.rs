//! The commands, one file each: its arguments, what it asks of the connection, its answer's shape
//! and its answer's text.
//!
//! A new command is such a file and its two lines here: the module, and its row in `commands!`.

mod autostart;
mod capabilities;
mod completion;
mod define;
mod destroy;
mod domain;
mod domid;
mod dominfo;
mod domname;
mod domstate;
mod domuuid;
mod domxml_from_native;
mod domxml_to_native;
mod dumpxml;
mod file;
mod freecell;
mod hostname;
mod lifecycle;
mod list;
mod man;
mod mode;
mod nodeinfo;
mod offline;
mod question;
mod reboot;
mod reset;
mod resume;
mod shutdown;
mod start;
mod suspend;
mod undefine;
mod uri;
mod version;
mod vmx2xml;
mod xml2vmx;

use crate::answer::{self, Answer, Format};
use crate::cli::Global;
use crate::connection::{self, Connection};
use crate::failure::Failure;
use crate::outcome::Outcome;

/// A command that asks a hypervisor.
trait Query {
    /// What it prints.
    type Answer: Answer;

    /// Refuses combinations of options before a connection is made.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Asks.
    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure>;
}

/// Makes the list of commands and their calls from one row a command.
macro_rules! commands {
    (queries { $($query:ident: $query_type:ty,)* } groups { $($(#[$attribute:meta])* $group:ident: $group_type:ty,)* } others { $($other:ident: $other_type:ty,)* }) => {
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Command {
            $($query($query_type),)*
            $($(#[$attribute])* #[command(subcommand)] $group($group_type),)*
            $($other($other_type),)*
        }

        impl Command {
            /// Runs the command to its end, connecting when it needs a hypervisor.
            pub(crate) fn run(self, global: &Global) -> Outcome {
                match self {
                    $(Self::$query(query) => run_query(query, global),)*
                    $(Self::$group(group) => group.run(global),)*
                    $(Self::$other(other) => other.run(global),)*
                }
            }
        }
    };
}

commands! {
    queries {
        Autostart: autostart::Autostart,
        Capabilities: capabilities::Capabilities,
        Define: define::Define,
        Destroy: destroy::Destroy,
        Domid: domid::Domid,
        Dominfo: dominfo::Dominfo,
        Domname: domname::Domname,
        Domstate: domstate::Domstate,
        Domuuid: domuuid::Domuuid,
        DomxmlFromNative: domxml_from_native::DomxmlFromNative,
        DomxmlToNative: domxml_to_native::DomxmlToNative,
        Dumpxml: dumpxml::Dumpxml,
        Freecell: freecell::Freecell,
        Hostname: hostname::Hostname,
        List: list::List,
        Nodeinfo: nodeinfo::Nodeinfo,
        Reboot: reboot::Reboot,
        Reset: reset::Reset,
        Resume: resume::Resume,
        Shutdown: shutdown::Shutdown,
        Start: start::Start,
        Suspend: suspend::Suspend,
        Undefine: undefine::Undefine,
        Uri: uri::Uri,
        Version: version::Version,
    }
    groups {
        Question: question::Group,
    }
    others {
        Completion: completion::Completion,
        Man: man::Man,
        Vmx2xml: vmx2xml::Vmx2xml,
        Xml2vmx: xml2vmx::Xml2vmx,
    }
}

fn run_query<Q: Query + 'static>(query: Q, global: &Global) -> Outcome {
    if let Err(failure) = query.check() {
        return failed(&failure, global.output, global.quiet);
    }
    let (format, quiet) = (global.output, global.quiet);
    let work: connection::Work = Box::new(move |connection| {
        Box::pin(async move {
            match query.ask(connection).await {
                Ok(answer) => answered(&answer, format, quiet),
                Err(failure) => failed(&failure, format, quiet),
            }
        })
    });
    match connection::with(global, work) {
        connection::Ended::Done(outcome) => outcome,
        // virsh opens the connection of -c before the command begins and any other one in it.
        connection::Ended::NotConnected(failure) if global.connect.is_some() => {
            Outcome::refused(&failure)
        }
        connection::Ended::NotConnected(failure) => failed(&failure, format, quiet),
        connection::Ended::Interrupted => Outcome::interrupted(),
    }
}

/// A command that has an answer: to the end of it all, or also of things that failed on the way.
fn answered<A: Answer>(answer: &A, format: Format, quiet: bool) -> Outcome {
    let failures = answer.failures().into_iter();
    let failed = failures.map(Outcome::refused).reduce(Outcome::and);
    let mut outcome = failed.unwrap_or_default();
    outcome.stdout = answer::render(answer, format, quiet);
    match answer.was_interrupted() {
        true => outcome.and(Outcome::interrupted()),
        false => outcome,
    }
}

/// A command that began and failed: virsh closes it with an empty line all the same.
fn failed(failure: &Failure, format: Format, quiet: bool) -> Outcome {
    let stdout = match format {
        Format::Text => answer::closed(String::new(), quiet),
        Format::Json => String::new(),
    };
    Outcome {
        stdout,
        ..Outcome::refused(failure)
    }
}
