//! The proof is not a picture of a proof: a lie in the evidence makes it fail.

use isp_core::Money;
use isp_core::calendar::{Date, Zone};
use isp_core::isolation::Access;
use isp_core::ports::{Effect, OutboxState};
use isp_core::text::Language;

use super::evidence::gather;
use super::proof::{Evidence, judge};
use super::stage::Stage;
use super::timeline::Timeline;
use super::world::World;

/// Lives from the first day to `last` and gathers the evidence.
async fn evidence_until(last: &str) -> Evidence {
    let dir = tempfile::tempdir().unwrap();
    let (first, last) = (Date::parse(super::stories::FIRST_DAY).unwrap(), Date::parse(last).unwrap());
    let mut out = Vec::new();
    let mut timeline = Timeline::new(&mut out, Language::Id, false, None);
    let stage = Stage::set(dir.path(), Language::Id, first.at(5, 0, Zone::Wib)).await.unwrap();
    let mut world = World::new(stage, &mut timeline);
    let mut day = first;
    while day <= last {
        world.live(day).await.unwrap();
        day = day.plus_days(1);
    }
    gather(world.stage().unwrap(), last.at(21, 0, Zone::Wib), 0).await.unwrap()
}

/// The claims that fail, by their place in the list.
fn failing(evidence: &Evidence) -> Vec<usize> {
    let claims = judge(evidence);
    claims.iter().enumerate().filter(|(_, c)| !c.against.is_empty()).map(|(i, _)| i).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_about_anything_makes_the_proof_fail() {
    let mut evidence = evidence_until("2026-01-20").await;
    assert_eq!(failing(&evidence), Vec::<usize>::new(), "{:?}", judge(&evidence));

    // A router that says open of somebody isolated.
    let isolated = evidence.lines.iter().find(|(_, a)| a.desired == Access::Isolated).unwrap().0.id;
    let honest = evidence.answers.insert(isolated, Some(Access::Open)).unwrap();
    assert_eq!(failing(&evidence), [5]);
    evidence.answers.insert(isolated, honest);

    // An isolation without a reason.
    let honest = evidence.isolations[0].1.take();
    assert_eq!(failing(&evidence), [6]);
    evidence.isolations[0].1 = honest;

    // A rupiah that nobody paid.
    let honest = evidence.payments[0].left;
    evidence.payments[0].left += Money::rupiah(1);
    assert_eq!(failing(&evidence), [0, 1]);
    evidence.payments[0].left = honest;

    // An invoice written twice.
    let twice = evidence.invoices[0].clone();
    evidence.invoices.push(twice);
    assert!(failing(&evidence).contains(&2));
    evidence.invoices.pop();

    // A payment counted twice.
    let twice = evidence.payments[0].clone();
    evidence.payments.push(twice);
    assert!(failing(&evidence).contains(&3));
    evidence.payments.pop();

    // A message that WhatsApp took twice, and one that it never took.
    let first = evidence.accepted[0];
    evidence.accepted.push(first);
    assert_eq!(failing(&evidence), [7]);
    evidence.accepted.retain(|id| *id != first);
    assert_eq!(failing(&evidence), [7]);
    evidence.accepted.push(first);

    // A gateway that holds less than the books say.
    let honest = evidence.at_gateway;
    evidence.at_gateway.1 += Money::rupiah(1);
    assert_eq!(failing(&evidence), [4]);
    evidence.at_gateway = honest;

    // A wish that never came to an end.
    let row = evidence.outbox.iter_mut().find(|r| matches!(r.effect, Effect::Access(_))).unwrap();
    row.state = OutboxState::Pending;
    assert_eq!(failing(&evidence), [8]);
}
