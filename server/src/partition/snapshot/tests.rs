//! What a snapshot holds comes back, and nothing else than what it holds.

use std::fs;
use std::sync::Arc;

use souk_core::ids::{AccountId, DimensionKey, ProductCode, ProductId, Region, SandboxName};
use souk_core::machine::ControlEntry;
use souk_core::machine::Event;
use souk_core::machine::follow::{Sandboxes, follow};
use souk_core::machine::rebuild::difference;
use souk_core::metering::series::Series;
use souk_core::metering::{HourColumn, Identity, QuantityColumn, SeriesKey, UsageColumns};
use souk_core::time::{BillingMonth, Timestamp};
use souk_log::{MemoryStore, Seq};

use super::{Snapshot, path, read, write};
use crate::document;
use crate::grpc::convert::sandbox::from_proto_document;
use crate::partition::ControlFeed;
use crate::partition::archive::{Archive, Index};

const DOCUMENT: &str = "
clock: {at: 2025-03-15T00:00:00Z}
rules: {meteringWindow: METERING_WINDOW_OPEN_MONTH}
accounts:
  - {accountId: 111122223333, companyName: Contrail Software, seller: {}}
  - {accountId: 000000000101, companyName: Acme Airlines}
products:
  - {productId: prod-a, productCode: productcodeofa00000000000, title: A, sellerAccountId: 111122223333, productType: SAAS, usageCategory: UNITS, dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]}
offers:
  - {offerId: offer-a, productId: prod-a, terms: [{usageBasedPricing: {rateCard: {units: 0.80}}}]}
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000101, acceptanceTime: 2025-01-10T00:00:00Z}
";

fn blue() -> SandboxName {
    SandboxName::new("blue")
}

fn entry() -> ControlEntry {
    let plan = from_proto_document(document::parse(DOCUMENT).unwrap()).unwrap();
    plan.entry(&blue(), Timestamp::MIN).unwrap()
}

/// A sandbox with usage of 1,100 series in whole and in decimal quantities.
fn sandboxes() -> Sandboxes {
    let mut sandboxes = Sandboxes::new();
    follow(&mut sandboxes, &entry(), |_| true).unwrap();
    let sandbox = sandboxes.get_mut(&blue()).unwrap();
    let buyer = AccountId::from_number(101).unwrap();
    for number in 0..1_100 {
        let key = SeriesKey {
            identity: Identity::Product(ProductCode::new("productcodeofa00000000000"), buyer),
            region: Region::new(&format!("region-{number}")),
            resource: None,
            dimension: DimensionKey::new("units"),
        };
        let hash = key.hash();
        let series = Series { key, product: ProductId::new("prod-a"), buyer, payer: buyer, hash };
        sandbox.apply(&Event::SeriesOpened(series));
    }
    let first = BillingMonth::parse("2025-03").unwrap().hours().start.index();
    for (hour, quantities) in [
        (first, QuantityColumn::Units((0..1_100).collect())),
        (first + 30, QuantityColumn::Millionths((0..1_100).collect())),
    ] {
        let hours = HourColumn::One(hour);
        sandbox.apply(&Event::UsageAccepted(UsageColumns {
            handles: (0..1_100).collect(),
            hours,
            quantities,
        }));
    }
    sandboxes
}

fn snapshot() -> Snapshot {
    Snapshot {
        partition: 3,
        time: Timestamp::parse("2025-03-15T00:00:00Z").unwrap(),
        followed: 1,
        next: 8,
        sandboxes: sandboxes(),
        archived: Index::default(),
    }
}

fn feed() -> ControlFeed {
    let feed = ControlFeed::default();
    feed.push(vec![entry()]);
    feed
}

#[test]
fn a_state_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), 3);
    assert!(read(&file, 3, &feed()).unwrap().is_none());
    assert!(write(&file, &snapshot(), || true).unwrap().is_some());
    let restored = read(&file, 3, &feed()).unwrap().unwrap();
    assert_eq!((restored.next.get(), restored.state.followed), (8, 1));
    let before = sandboxes();
    assert_eq!(restored.state.sandboxes.len(), 1);
    assert_eq!(difference(&before[&blue()], &restored.state.sandboxes[&blue()]), None);
}

#[test]
fn what_may_not_be_seen_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), 3);
    write(&file, &snapshot(), || true).unwrap();
    let old = fs::read(&file).unwrap();
    let newer = Snapshot { next: 9, ..snapshot() };
    assert_eq!(write(&file, &newer, || false).unwrap(), None);
    assert_eq!(fs::read(&file).unwrap(), old);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_damage_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), 3);
    write(&file, &snapshot(), || true).unwrap();
    let bytes = fs::read(&file).unwrap();
    let is_ignored = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        read(&file, 3, &feed()).is_err()
    };
    for at in (0..bytes.len()).step_by(bytes.len() / 97).chain([bytes.len() - 1]) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        assert!(is_ignored(&damaged), "byte {at} was changed");
        assert!(is_ignored(&bytes[..at]), "it was cut at byte {at}");
    }
    // A frame that is lost as a whole: its head says how long it is.
    let head = 9 + u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
    let second = 9 + u32::from_le_bytes(bytes[head..head + 4].try_into().unwrap()) as usize;
    let lost = [&bytes[..head], &bytes[head + second..]].concat();
    assert!(is_ignored(&lost));
    fs::write(&file, &bytes).unwrap();
    assert!(read(&file, 2, &feed()).is_err(), "it is of another partition");
    assert!(read(&file, 3, &ControlFeed::default()).is_err(), "the control log is behind it");
    assert!(read(&file, 3, &feed()).is_ok());
}

#[test]
fn a_month_comes_back_from_the_archive_block_by_block() {
    let archive = Archive::new(Arc::new(MemoryStore::new()), 0);
    let before = sandboxes();
    let month = BillingMonth::parse("2025-03").unwrap();
    let tiles = before[&blue()].tally().tiles(month).unwrap();
    let blocks = archive.append(&blue(), month, tiles).unwrap();
    assert_eq!(blocks.keys().copied().collect::<Vec<_>>(), [0, 1]);
    let all = archive.load(&blue(), month, blocks.clone()).unwrap();
    assert_eq!(&all, tiles);
    let one = archive.load(&blue(), month, [(1, blocks[&1])]).unwrap();
    assert_eq!(one.column(1_050).sum(0, 744), tiles.column(1_050).sum(0, 744));
    assert!(!one.column(5).is_used());
    for (name, block) in [("blue", 0), ("green", 1)] {
        let wrong = archive.load(&SandboxName::new(name), month, [(block, blocks[&1])]);
        assert!(wrong.is_err(), "{name} {block}");
    }
    let mut index = Index::default();
    index.add(blue(), month, blocks);
    assert!(archive.holds(&index));
    index.add(blue(), month.next(), [(0, Seq::new(99).unwrap())].into());
    assert!(!archive.holds(&index));
}
