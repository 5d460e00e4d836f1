//! `souk scenario` as its users run it: the scenarios of this folder come out as they say, and what does not is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use souk_client::proto::agreement::v1::UpfrontConfiguration;
use souk_client::proto::metering::v1::ReportInstanceHoursRequest;
use tempfile::TempDir;

use crate::served::Served;
use crate::soukd;
use crate::words::{at, batch, configuration, put, record, running, turn};

/// The folder of the scenarios.
pub(super) fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// Runs `souk scenario`, with a server of its own unless the arguments name one.
pub(super) fn souk(arguments: &[&str]) -> Output {
    let mut command = Command::new(soukd::souk());
    command.arg("scenario").args(arguments).env_remove("SOUK_ENDPOINT").env_remove("SOUK_SANDBOX");
    if arguments.first() == Some(&"run") && !arguments.contains(&"--endpoint") {
        command.arg("--soukd").arg(soukd::binary());
    }
    command.output().expect("souk can be started")
}

/// What a program wrote.
pub(super) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Runs files and answers the exit code and what came out, as JSON.
pub(super) fn run_as_json(paths: &[&str]) -> (Option<i32>, Value) {
    let output = souk(&[&["run", "--output", "json"], paths].concat());
    let said = stdout(&output);
    let value = serde_json::from_str(&said);
    (
        output.status.code(),
        value.unwrap_or_else(|_| panic!("{said}{}", String::from_utf8_lossy(&output.stderr))),
    )
}

/// The example of `souk scenario new`, written otherwise, in a folder.
fn example(replaced: &[(&str, &str)]) -> (TempDir, String) {
    let mut text = stdout(&souk(&["new"]));
    for (from, to) in replaced {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("story.yaml");
    std::fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("UTF-8").to_owned();
    (folder, path)
}

#[test]
fn every_scenario_comes_out_as_it_says_and_checks_something() {
    let folder = scenarios();
    let (code, ran) = run_as_json(&[folder.to_str().expect("UTF-8")]);
    let ran = ran.as_array().expect("a list");
    for scenario in ran {
        assert_eq!(scenario["outcome"], "passed", "{scenario:#}");
        assert!(scenario["checked"].as_u64() >= Some(1), "{scenario:#}");
    }
    let files = std::fs::read_dir(folder).expect("a folder").count();
    assert_eq!((code, ran.len()), (Some(0), files));
}

#[test]
fn a_file_that_is_named_after_an_example_or_a_rule_says_that_it_proves_it() {
    for entry in std::fs::read_dir(scenarios()).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let Some((group, number)) =
            name.split_once('-').and_then(|(g, rest)| Some((g, rest.split_once('-')?.0)))
        else {
            panic!("{name} has no words");
        };
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let proves =
            text.lines().find(|line| line.starts_with("proves: [")).unwrap_or_else(|| panic!("{name}"));
        let proven = match group {
            "rule" => number.to_uppercase(),
            _ => format!("{}-{number}", group.to_uppercase()),
        };
        let first = proves.trim_start_matches("proves: [").split([',', ']']).next();
        assert!(group == "story" || first == Some(proven.as_str()), "{name}: {proves}");
        assert!(
            text.starts_with("# yaml-language-server: $schema=../../client/scenario.schema.json"),
            "{name}"
        );
    }
}

#[test]
fn every_scenario_fails_when_one_of_its_amounts_is_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut changed = Vec::new();
    for entry in std::fs::read_dir(scenarios()).expect("a folder") {
        let path = entry.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("a scenario");
        let timeline = text.find("\ntimeline:").expect("a timeline");
        let Some(at) = text[timeline..].find("total: ").map(|at| timeline + at + "total: ".len()) else {
            continue;
        };
        let (before, after) = text.split_at(at);
        let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        std::fs::write(folder.path().join(&name), format!("{before}1{after}")).expect("a file");
        changed.push((name, before.lines().count()));
    }
    changed.sort();
    let (code, ran) = run_as_json(&[folder.path().to_str().expect("UTF-8")]);
    let ran = ran.as_array().expect("a list");
    assert_eq!((code, ran.len()), (Some(1), changed.len()));
    assert!(changed.len() > 15, "only {} scenarios state a total", changed.len());
    for (scenario, (name, line)) in ran.iter().zip(&changed) {
        assert_eq!(scenario["outcome"], "failed", "{scenario:#}");
        assert_eq!(
            scenario["failures"][0]["line"].as_u64(),
            u64::try_from(*line).ok(),
            "{name}: {scenario:#}"
        );
    }
}

#[test]
fn a_failure_shows_both_sides_and_how_the_line_came_about() {
    let (_folder, file) = example(&[("amount: 120.00}", "amount: 120.01}")]);
    let output = souk(&["run", &file]);
    assert_eq!(output.status.code(), Some(1));
    let said = stdout(&output).replace(&file, "story.yaml");
    let expected = "\
FAIL   story.yaml  Two of five are billed by the hour (14 values)

  story.yaml:54:99: invoices, lines: amount is not as expected
    at 2025-02-02, because 5 - 3 instances ran uncovered in 240 hours

               expected       actual
    buyer      Acme Airlines  Acme Airlines
    dimension  m5.large       m5.large
    quantity   480            480
    unitPrice  0.25           0.25
  ! amount     120.01         120.00

    How line 1 of MPIN25-000000000101-2 came about: 480 x 0.25 = 120.00, so 120.00
      2025-01-01 until 2025-02-01: ran 1200 in 240 hours, 3 annual subscriptions covered 720, 480 billed, priced by the \
offer as released
      2025-01-01: ran 5, 3 subscriptions, 3 covered, 2 billed
      2025-01-01T01:00:00Z: ran 5, 3 subscriptions, 3 covered, 2 billed
      2025-01-01T02:00:00Z: ran 5, 3 subscriptions, 3 covered, 2 billed
      2025-01-01T03:00:00Z: ran 5, 3 subscriptions, 3 covered, 2 billed
      2025-01-01T04:00:00Z: ran 5, 3 subscriptions, 3 covered, 2 billed
      ...

0 of 1 scenarios came out as they say, 14 values compared; 1 failed
";
    assert_eq!(said, expected);
}

#[test]
fn a_refusal_is_a_failure_unless_it_is_the_one_that_is_expected() {
    let again = "as: radar}\n  - accept: {offer: Radar image, buyer: Acme Airlines}\n";
    let expected = |code: &str| format!("{again}    refused: {code}\n");
    for (to, outcome, problem) in [
        (again.to_owned(), "failed", "AcceptOffer was refused; the steps after it are not played"),
        (expected("ALREADY_SUBSCRIBED"), "passed", ""),
        (expected("{code: ALREADY_SUBSCRIBED, message: cancel it first, field: buyer}"), "passed", ""),
        (expected("OFFER_EXPIRED"), "failed", "it was refused for another reason"),
        (
            "as: radar}\n    refused: OFFER_EXPIRED\n".to_owned(),
            "failed",
            "it was not refused; the steps after it are not played",
        ),
    ] {
        let (_folder, file) = example(&[("as: radar}\n", &to)]);
        let (_, ran) = run_as_json(&[&file]);
        assert_eq!(ran[0]["outcome"], outcome, "{to}: {ran:#}");
        if !problem.is_empty() {
            assert_eq!(ran[0]["failures"][0]["problem"], problem, "{to}: {ran:#}");
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_a_failure_and_the_rest_goes_on() {
    // The report of a month that is not closed.
    let (_folder, file) = example(&[
        ("        month: 2025-01\n        exactly", "        month: 2025-02\n        exactly"),
        ("total: 4500.00", "total: 4500.01"),
    ]);
    let (code, ran) = run_as_json(&[&file]);
    assert_eq!(code, Some(1));
    let told = |failure: usize| {
        (&ran[0]["failures"][failure]["line"], ran[0]["failures"][failure]["problem"].as_str())
    };
    assert_eq!(told(0), (&49.into(), Some("invoices: total is not as expected")));
    assert_eq!(told(1), (&55.into(), Some("StreamReport was refused; nothing can be compared")));
}

#[test]
fn a_wrong_file_is_told_with_line_and_column_by_whoever_finds_it() {
    for (from, to, place, problem) in [
        (
            "accept: {offer",
            "acept: {offer",
            ":35:5",
            "timeline[0]: unknown key `acept`; did you mean `accept`?",
        ),
        (
            "productType: AMI",
            "productTyp: AMI",
            ":20:7",
            "sandbox.products[0]: unknown field `productTyp`; did you mean `productType`?",
        ),
        // What only the server finds keeps its place, too.
        ("sellerAccountId: 111122223333", "sellerAccountId: 111122223334", ":19:7", "ACCOUNT_UNKNOWN"),
        (
            "AWS Listing Fee",
            "AWS listing fee",
            ":62:13",
            "the report has no column `AWS listing fee`; did you mean `AWS Listing Fee`?",
        ),
    ] {
        let (_folder, file) = example(&[(from, to)]);
        let (code, ran) = run_as_json(&[&file]);
        assert_eq!((code, &ran[0]["outcome"]), (Some(2), &"wrong".into()), "{ran:#}");
        let mistake = &ran[0]["mistakes"][0];
        assert_eq!(mistake["place"], format!("{file}{place}"), "{mistake}");
        assert!(mistake["problem"].as_str().is_some_and(|told| told.contains(problem)), "{mistake}");
    }
}

#[test]
fn a_sandbox_may_stand_in_a_file_of_its_own_with_its_own_mistakes() {
    let document = |seller: &str| {
        format!(
            "accounts: [{{accountId: 111111111111}}]\nproducts:\n  - title: T\n    sellerAccountId: {seller}\n    productType: SAAS\n    dimensions: [{{key: a, types: [ENTITLED]}}]\n"
        )
    };
    let scenario =
        "scenario: S\nsandbox: market.yaml\ntimeline: [{at: 2025-01-01, expect: {invoices: []}}]\n";
    for (text, outcome, place) in [
        ("accounts: [{accountId: 111111111111}]\n".to_owned(), "passed", ""),
        ("acounts: []\n".to_owned(), "wrong", "market.yaml:1:1"),
        (document("222222222222"), "wrong", "market.yaml:4:5"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("story.yaml");
        std::fs::write(&file, scenario).expect("a file");
        std::fs::write(folder.path().join("market.yaml"), text).expect("a file");
        let (_, ran) = run_as_json(&[file.to_str().expect("UTF-8")]);
        assert_eq!(ran[0]["outcome"], outcome, "{ran:#}");
        let told = ran[0]["mistakes"][0]["place"].as_str().unwrap_or_default();
        assert!(told.ends_with(place), "{ran:#}");
    }
}

#[test]
fn a_step_beyond_a_sandbox_s_time_is_the_mistake_of_its_file_alone() {
    let (_folder, late) = example(&[]);
    let account = "addAccount: {accountId: 777777777777, companyName: Late}";
    let text = std::fs::read_to_string(&late).expect("the example");
    std::fs::write(&late, format!("{text}\n  - at: 9999-01-01\n    {account}\n")).expect("a file");
    let good = scenarios().join("a-02-y-under-x-is-never-a-credit.yaml");
    let output = souk(&["run", &late, good.to_str().expect("a path")]);
    let told = stdout(&output);
    assert!(told.contains("the clock cannot be turned to this time"), "{told}");
    assert!(told.lines().any(|line| line.starts_with("ok ") && line.contains("a-02-")), "{told}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_exit_code_says_what_came_out() {
    let (_good, good) = example(&[]);
    let (_failing, failing) = example(&[("total: 120.00", "total: 1.00")]);
    let (_wrong, wrong) = example(&[("timeline:", "timelin:")]);
    for (files, code) in [(vec![&good], 0), (vec![&good, &failing], 1), (vec![&good, &failing, &wrong], 2)] {
        let files: Vec<&str> = files.into_iter().map(String::as_str).collect();
        assert_eq!(run_as_json(&files).0, Some(code), "{files:?}");
    }
    assert_eq!(souk(&["run", "/nowhere.yaml"]).status.code(), Some(2));
    let nobody = souk(&["run", &good, "--endpoint", "http://127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(3));
}

#[test]
fn junit_has_a_case_for_each_file_and_is_well_formed() {
    let (folder, good) = example(&[]);
    let (_failing, failing) =
        example(&[("total: 120.00", "total: 1.00"), ("Two of five", "<Two> & \"five\"")]);
    let (_wrong, wrong) = example(&[("timeline:", "timelin:")]);
    let report = folder.path().join("report.xml");
    souk(&["run", &good, &failing, &wrong, "--junit", report.to_str().expect("UTF-8")]);
    let xml = std::fs::read_to_string(report).expect("a report");
    let mut open = Vec::new();
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("a declaration");
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').map(|end| at + end).expect("an end of the tag");
        let tag = &rest[at + 1..end];
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{xml}"),
            None if tag.ends_with('/') => {}
            None => open.extend(tag.split_whitespace().next()),
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} stay open: {xml}");
    assert!(xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""), "{xml}");
    assert!(xml.contains("name=\"&lt;Two&gt; &amp; &quot;five&quot; are billed by the hour\""), "{xml}");
}

#[test]
fn a_new_scenario_comes_out_as_it_says_and_overwrites_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new.yaml");
    let path = file.to_str().expect("UTF-8");
    assert!(souk(&["new", path]).status.success());
    assert_eq!(run_as_json(&[path]).0, Some(0));
    std::fs::write(&file, "mine").expect("a file");
    assert_eq!(souk(&["new", path]).status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "mine");
}

#[test]
fn the_schema_is_printed() {
    let schema: Value = serde_json::from_str(&stdout(&souk(&["schema"]))).expect("JSON");
    assert_eq!(schema["title"], "Souk scenario");
    assert!(schema["$defs"]["step"]["properties"]["accept"].is_object());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_kept_only_when_it_is_asked_for() {
    let served = Served::start().await;
    let (_folder, file) = example(&[]);
    let run = |more: &'static [&str]| {
        let arguments = [&["run", &file, "--endpoint", &served.endpoint], more].concat();
        stdout(&souk(&arguments))
    };
    run(&[]);
    assert_eq!(served.client.all_sandboxes().await.expect("a list"), []);
    let said = run(&["--keep"]);
    let kept = served.client.all_sandboxes().await.expect("a list");
    assert_eq!(kept.len(), 1);
    assert!(said.contains(&format!("kept as {}", kept[0].name)), "{said}");
    served.stop().await;
}

/// What happens in the sandbox that is recorded: every kind of thing that a recording tells.
async fn live(served: &Served) {
    const BOX: &str = "played";
    const AIR: &str = "000000000101";
    const CARGO: &str = "000000000102";
    let client = &served.client;
    put(client, BOX, souk_server::document::EXAMPLE).await;
    let meter = async |buyer: &str, key: &str, quantity: &str, time: &str| {
        let records = vec![record(buyer, at(time), key, quantity)];
        client.batch_meter_usage(batch(BOX, "flightanalyticsusage00001", records)).await.expect("answers");
    };
    let run = async |count: u64, from: &str, hours: i64| {
        let request = ReportInstanceHoursRequest {
            sandbox: BOX.to_owned(),
            region: "eu-west-1".to_owned(),
            reports: running("radarimageinstances000001", AIR, from, hours, "m5.large", count),
        };
        client.report_instance_hours(request).await.expect("answers");
    };
    let radar = client.all_agreements(BOX, &Default::default()).await.expect("agreements")[0].clone();

    turn(client, BOX, "2013-01-10T10:20:00Z").await;
    let private = client.accept_offer(BOX, "offer-flightacme", CARGO, None).await.expect("an agreement");
    turn(client, BOX, "2013-01-10T12:30:00Z").await;
    meter(CARGO, "users", "5", "2013-01-10T10:30:00Z").await;
    meter(CARGO, "users", "5", "2013-01-10T11:30:00Z").await;
    // The hour that the clock stands in.
    meter(CARGO, "data", "0.333333", "2013-01-10T12:10:00Z").await;
    run(4, "2013-01-10T09:00:00Z", 3).await;
    let one = UpfrontConfiguration { auto_renew: true, ..configuration("P12M", &[("m5.large", 1)]) };
    client.add_annual_subscription(BOX, &radar.agreement_id, one).await.expect("cover");
    let card = [("m5.large".to_owned(), "0.30".to_owned())].into();
    client.change_prices(BOX, "offer-radarpublic", card, Vec::new()).await.expect("a change");
    turn(client, BOX, "2013-02-05T08:00:00Z").await;
    run(5, "2013-02-05T06:00:00Z", 2).await;
    client.cancel_agreement(BOX, &private.agreement.agreement_id).await.expect("an end");
    client.accept_offer(BOX, "offer-flightpublic", AIR, None).await.expect("an agreement");
    meter(AIR, "hosts", "3", "2013-02-05T08:00:00Z").await;
    // The subscription renews itself on the way.
    turn(client, BOX, "2014-02-03T00:00:00Z").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_played_is_recorded_and_comes_out_the_same() {
    let served = Served::start().await;
    live(&served).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("played.yaml");
    let path = file.to_str().expect("UTF-8");
    let recorded = souk(&["record", "played", "-o", path, "--endpoint", &served.endpoint]);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    served.stop().await;

    let (code, ran) = run_as_json(&[path]);
    assert_eq!((code, &ran[0]["outcome"]), (Some(0), &"passed".into()), "{ran:#}");
    let text = std::fs::read_to_string(&file).expect("a recording");
    for told in [
        "accept: {offer: offer-radarpublic, buyer: Acme Airlines, duration: P12M, quantities: {m5.large: 2}",
        "buyAnnual: {agreement: acme-airlines-radar-image, quantities: {m5.large: 1}, autoRenew: true}",
        "changePrices: {offer: offer-radarpublic, rateCard: {m5.large: 0.30}}",
        "cancel: {agreement: acme-cargo-flight-analytics}",
        "quantity: 0.333333",
        "region: eu-west-1",
        "kind: monthly_revenue_annual_subscriptions",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    // Amounts are in it, so a change of one is found.
    let other = text.replacen("total: 3000.00", "total: 3000.01", 1);
    std::fs::write(&file, other).expect("a file");
    assert_eq!(run_as_json(&[path]).0, Some(1));
}

/// What a recording tells of contracts: amendments, refunds, instalments, and what has one price.
#[tokio::test(flavor = "multi_thread")]
async fn stories_of_contracts_are_recorded_and_come_out_the_same() {
    let served = Served::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let stories = [
        "a-18-amendments-of-annual-subscriptions",
        "c-15-a-private-offer-replaces-a-contract",
        "c-16-an-image-keeps-its-old-schedule",
        "c-17-a-future-dated-contract",
        "c-18-an-uplift-compounds",
        "f-06-partial-refunds",
        "f-10-refund-windows",
        "rule-i3-a-contract-comes-back-whole",
        "rule-j1-resale-authorizations",
        "story-a-months-fee-of-a-container",
        "story-a-reseller-sells-usage-and-contracts",
        "story-an-enterprise-customer",
        "story-euros-and-yen",
    ];
    for story in stories {
        let file = scenarios().join(story).with_extension("yaml");
        let file = file.to_str().expect("UTF-8");
        let kept = souk(&["run", file, "--keep", "--endpoint", &served.endpoint]);
        assert!(kept.status.success(), "{}", stdout(&kept));
    }
    for sandbox in served.client.all_sandboxes().await.expect("a list") {
        let path = folder.path().join(&sandbox.name).with_extension("yaml");
        let path = path.to_str().expect("UTF-8");
        let recorded = souk(&["record", &sandbox.name, "-o", path, "--endpoint", &served.endpoint]);
        assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    }
    served.stop().await;
    let (code, ran) = run_as_json(&[folder.path().to_str().expect("UTF-8")]);
    assert_eq!((code, ran.as_array().map(Vec::len)), (Some(0), Some(stories.len())), "{ran:#}");
    let texts = std::fs::read_dir(folder.path()).expect("a folder");
    let text: String = texts
        .map(|file| std::fs::read_to_string(file.expect("a file").path()).expect("a recording"))
        .collect();
    for told in [
        "amend: {agreement: dune-fleet, purchase: 1, quantities: {c5.large: 2, m5.large: 1}}",
        "amount: 20.00, reason: INCORRECT_METERING",
        "restrictResale: {authorization: resaleauthz-spring}",
        "accept: {offer: offer-acme, buyer: Acme, autoRenew: true, as: acme-desk}",
    ] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
}
