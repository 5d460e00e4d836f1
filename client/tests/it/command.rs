//! The command as a process: what goes to stdout, what to stderr, and the exit code.

use std::path::Path;
use std::process::Output;

use souk_proto::metering::v1::UsageRecordStatus;
use tokio::process::Command;
use tonic::Status;

use crate::fake::Fake;

/// Runs the command; answers the exit code, stdout and stderr.
async fn souk(endpoint: &str, arguments: &str) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_souk"))
        .env_remove("SOUK_SANDBOX")
        .env("SOUK_ENDPOINT", endpoint)
        .args(arguments.split_whitespace())
        .output()
        .await
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[tokio::test]
async fn lists_are_written_in_three_forms() {
    let endpoint = Fake::default().start().await;
    let (code, csv, err) = souk(&endpoint, "account list --output csv").await;
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(csv, @r#"
    account_id,company_name,payer_account_id,seller,country,email_domain
    111111111111,"A, B and sons",,no,,
    222222222222,"A, B and sons",,no,,
    333333333333,"A, B and sons",,no,,
    "#);
    let (_, table, _) = souk(&endpoint, "account list").await;
    insta::assert_snapshot!(table, @r"
    Account id    Company name   Payer account id  Seller  Country  Email domain
    ------------- -------------- ----------------- ------- -------- -------------
    111111111111  A, B and sons                    no
    222222222222  A, B and sons                    no
    333333333333  A, B and sons                    no
    ");
    let (_, json, _) = souk(&endpoint, "account show 111111111111 --output json").await;
    insta::assert_snapshot!(json, @r#"
    {
      "accountId": "111111111111"
    }
    "#);
}

#[tokio::test]
async fn the_exit_code_says_whose_turn_it_is() {
    let fake = Fake::default();
    let endpoint = fake.start().await;

    fake.script().refusals.push_back(Status::not_found("no such account"));
    let (code, out, err) = souk(&endpoint, "account show 111111111111").await;
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(err, "souk: no such account\n  GetAccount was refused: no reason code, NotFound\n");

    let (code, _, err) = souk(&endpoint, "account show").await;
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = souk(&endpoint, "product create no-such-file.json").await;
    assert_eq!(code, 2);
    assert!(err.starts_with("souk: no-such-file.json cannot be read: "), "{err}");

    // Port 1 is reserved and nobody listens there.
    let (code, out, err) = souk("http://127.0.0.1:1", "account list").await;
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.starts_with("souk: no connection to http://127.0.0.1:1: "), "{err}");
}

#[tokio::test]
async fn a_file_of_records_is_streamed_and_its_exceptions_named_by_line() {
    let fake = Fake::default();
    let endpoint = fake.start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.csv");
    std::fs::write(
        &file,
        "time,product_code,customer,dimension,quantity\n\
         2026-03-01T05,good,222222222222,hosts,17\n\
         2026-03-01T05,refused,222222222222,hosts,0.5\n\
         2026-03-01T06,good,222222222222,hosts,18\n\
         2026-03-01T07,good,222222222222,hosts,19\n",
    )
    .unwrap();
    fake.script().statuses.extend([UsageRecordStatus::Success, UsageRecordStatus::DuplicateRecord]);

    let (code, out, err) = souk(&endpoint, &format!("meter --batch-size 2 --file {}", file.display())).await;
    insta::assert_snapshot!(out, @r"
    Records                  4
    Messages                 3
    Success                  2
    Duplicate record         1
    Customer not subscribed  0
    Unprocessed              0
    Refused                  1

    Not metered
    Line  Status                Metering record id  Message
    ----- --------------------- ------------------- ------------------------------
    4     duplicate_record      id-1
    3     invalid_product_code                      product_code: no such product
    ");
    assert_eq!((code, err.as_str()), (1, "souk: not metered: 2 of the records; see the result\n"));
    assert_eq!(fake.script().seen, ["StreamUsage", "message 0 of 2", "message 1 of 1", "message 2 of 1"]);
}

#[tokio::test]
async fn one_record_and_many_hours_are_metered() {
    let fake = Fake::default();
    let endpoint = fake.start().await;
    let record = "meter code --customer 222222222222 --dimension hosts --quantity 17 --time 2026-03-01T05";
    let (code, out, _) = souk(&endpoint, &format!("{record} --output csv")).await;
    assert_eq!((code, out.as_str()), (0, "status,metering_record_id\nsuccess,id-0\n"));

    let month = "instances report code --buyer 222222222222 --type m5.large --count 3";
    let (code, out, _) = souk(&endpoint, &format!("{month} --from 2026-01-01 --until 2027-01-01")).await;
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with("Records                  8760\nMessages                 2\n"), "{out}");
    let seen = fake.script().seen.clone();
    assert_eq!(seen, ["BatchMeterUsage of 1", "ReportInstanceHours of 5000", "ReportInstanceHours of 3760"]);
}

#[tokio::test]
async fn a_report_is_exported_as_the_server_made_it() {
    let fake = Fake::default();
    let endpoint = fake.start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("march.csv");
    let export =
        "report export monthly_revenue_billing_and_revenue_data --seller 111111111111 --month 2026-03";
    let expected = "Product,Amount\na,1.50\n";

    let (code, out, _) = souk(&endpoint, &format!("{export} -o {}", file.display())).await;
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(names(folder.path()), ["march.csv"]);

    let (code, out, _) = souk(&endpoint, export).await;
    assert_eq!((code, out.as_str()), (0, expected));
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
