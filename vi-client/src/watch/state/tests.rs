//! Every state with every reply it can have: `table.txt` says what follows from each pair, a state to a paragraph. Pairs
//! that cannot occur do not compile, so the table is all there is.

use std::fmt::Write as _;

use super::*;

type S = State<&'static str>;

/// A budget of which so many rounds are spent.
fn spent(count: u32) -> Rounds {
    (0..count).fold(ROUNDS, |rounds, _| rounds.fruitless())
}

/// What goes into the table of a state that has replies of one kind.
fn rows<R: std::fmt::Debug + Clone>(
    table: &mut String,
    state: &str,
    replies: &[R],
    next: impl Fn(R) -> S,
) {
    writeln!(table, "{state}").unwrap();
    for reply in replies {
        writeln!(table, "  {reply:?}: {:?}", next(reply.clone())).unwrap();
    }
}

fn losses() -> [Loss<&'static str>; 5] {
    [
        Loss::Answer("no answer"),
        Loss::Version("no version"),
        Loss::Subscription("no session"),
        Loss::Refused("refused"),
        Loss::Ended("closed"),
    ]
}

fn with_losses<R>(replies: Vec<R>, loss: impl Fn(Loss<&'static str>) -> R) -> Vec<R> {
    replies.into_iter().chain(losses().map(loss)).collect()
}

#[test]
fn table() {
    let mut table = String::new();
    for then in [
        Step::Subscribe,
        Step::Check,
        Step::CheckAnew,
        Step::Resubscribe,
        Step::Rebuild,
    ] {
        let idle = Idle {
            rounds: spent(2),
            then,
        };
        rows(&mut table, &format!("{idle:?}"), &["awaited"], |_| {
            idle.clone().next()
        });
    }
    for rounds in [spent(0), spent(5)] {
        let from = Remains::All;
        let subscribing = Subscribing { rounds, from };
        let replies = vec![
            SubscribeReply::Done { is_new: true },
            SubscribeReply::Done { is_new: false },
            SubscribeReply::Unawaited,
        ];
        let replies = with_losses(replies, SubscribeReply::Failed);
        rows(&mut table, &format!("{subscribing:?}"), &replies, |reply| {
            subscribing.clone().next(reply)
        });
    }
    for (rounds, is_anew) in [(spent(0), false), (spent(0), true), (spent(5), false)] {
        let checking = Checking { rounds, is_anew };
        let replies = vec![
            CheckReply::Told { is_truncated: true },
            CheckReply::Told {
                is_truncated: false,
            },
            CheckReply::Nothing { is_new: true },
            CheckReply::Nothing { is_new: false },
            CheckReply::Stalled(Stall::Stale),
        ];
        let replies = with_losses(replies, CheckReply::Failed);
        rows(&mut table, &format!("{checking:?}"), &replies, |reply| {
            checking.clone().next(reply)
        });
    }
    for rounds in [spent(0), spent(5)] {
        let waiting = Waiting { rounds };
        let replies = vec![
            WaitReply::Told { is_truncated: true },
            WaitReply::Told {
                is_truncated: false,
            },
            WaitReply::Nothing,
            WaitReply::Stalled(Stall::Hasty),
            WaitReply::Stalled(Stall::Stale),
            WaitReply::Stalled(Stall::Again),
            WaitReply::Overdue,
            WaitReply::Left,
        ];
        let replies = with_losses(replies, WaitReply::Failed);
        let replies = with_losses(replies, WaitReply::NotAdded);
        rows(&mut table, &format!("{waiting:?}"), &replies, |reply| {
            waiting.clone().next(reply)
        });
    }
    for rounds in [spent(0), spent(5)] {
        let truncated = Truncated { rounds };
        let replies = vec![
            RestReply::Told { is_truncated: true },
            RestReply::Told {
                is_truncated: false,
            },
            RestReply::Nothing,
            RestReply::Stalled(Stall::Stale),
            RestReply::Stalled(Stall::Again),
        ];
        let replies = with_losses(replies, RestReply::Failed);
        rows(&mut table, &format!("{truncated:?}"), &replies, |reply| {
            truncated.clone().next(reply)
        });
    }
    let pausing = Pausing {
        rounds: spent(3),
        trouble: Trouble::Lost("no answer"),
        then: Step::Check,
    };
    rows(&mut table, &format!("{pausing:?}"), &["over"], |_| {
        pausing.clone().next()
    });
    let giving_up = GivingUp(pausing);
    rows(&mut table, &format!("{giving_up:?}"), &["done"], |_| {
        giving_up.clone().next()
    });
    if std::env::var_os("UPDATE_TABLE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/watch/state/table.txt");
        std::fs::write(path, &table).unwrap();
    }
    let expected = include_str!("table.txt");
    for (line, (is, should_be)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(is, should_be, "line {}", line + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

#[test]
fn pauses_grow_up_to_a_limit() {
    let pauses = |trouble: Trouble<()>, then| {
        let pausing = |rounds| Pausing {
            rounds: spent(rounds),
            trouble: trouble.clone(),
            then,
        };
        [1, 2, 3, 6, 9, 10, 40].map(|round| pausing(round).pause().as_millis())
    };
    let lost = Trouble::Lost(());
    let expected = [100, 200, 400, 3_200, 25_600, 30_000, 30_000];
    assert_eq!(pauses(lost.clone(), Step::Check), expected);
    let expected = [0, 0, 400, 3_200, 25_600, 30_000, 30_000];
    assert_eq!(pauses(lost, Step::Resubscribe), expected);
    let stalled = Trouble::Stalled(Stall::Hasty);
    let expected = [100, 200, 400, 3_200, 5_000, 5_000, 5_000];
    assert_eq!(pauses(stalled, Step::Subscribe), expected);
}
