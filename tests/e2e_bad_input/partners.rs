//! Questions to the partner programs that have no answer, and those that have one.

use souk_proto::partner::v1::assess_tier_request::Tier;
use souk_proto::partner::v1::{
    AssessReferralsRequest, AssessTierRequest, DecideActivateCreditsRequest, GetReferralContactDateRequest,
    PremierTier, ReferralPath, SelectTier,
};

use super::{is, start};

const INVALID: &str = "InvalidArgument FIELD_INVALID";

#[tokio::test]
async fn k_01_credits_are_granted_or_refused_with_the_field() {
    let served = start().await;
    let client = &served.client;
    let ask = |received_usd, applied_for_usd| {
        client.decide_activate_credits(DecideActivateCreditsRequest { received_usd, applied_for_usd })
    };
    let granted = ask(5_000, 25_000).await.expect("a decision");
    assert_eq!((granted.approved, granted.granted_usd), (true, 20_000));
    assert_eq!(granted.reason, "25000 less 5000 issued before are 20000 (K1)");
    let declined = ask(25_000, 5_000).await.expect("a decision");
    assert_eq!((declined.approved, declined.granted_usd), (false, 0));
    is(ask(100_001, 5_000).await, &format!("{INVALID} receivedUsd"));
    is(ask(0, 0).await, &format!("{INVALID} appliedForUsd"));
    is(ask(0, 100_001).await, &format!("{INVALID} appliedForUsd"));
    served.stop().await;
}

#[tokio::test]
async fn k_03_referrals_are_assessed_or_refused_with_the_field() {
    let served = start().await;
    let client = &served.client;
    let good = AssessReferralsRequest {
        path: ReferralPath::Select.into(),
        asked_date: "2025-01-15".to_owned(),
        validated_dates: vec!["2024-06-01".to_owned(); 10],
        listed: true,
        programs: 1,
        sends_updates: true,
        confirmed: false,
    };
    assert!(client.assess_referrals(good.clone()).await.expect("an answer").eligible);
    let answer = client.assess_referrals(AssessReferralsRequest { programs: 0, ..good.clone() }).await;
    assert_eq!(answer.expect("an answer").lacks, ["one of the 8 programs (K4)"]);
    type Change = fn(&mut AssessReferralsRequest);
    let rows: [(Change, &str); 7] = [
        (|r| r.path = 0, "InvalidArgument FIELD_INVALID path"),
        (|r| r.path = 9, "InvalidArgument FIELD_INVALID path"),
        (|r| r.asked_date.clear(), "InvalidArgument FIELD_MISSING askedDate"),
        (|r| r.asked_date = "2025-1-15".to_owned(), "InvalidArgument FIELD_INVALID askedDate"),
        (|r| r.validated_dates[3] = "June".to_owned(), "InvalidArgument FIELD_INVALID validatedDates[3]"),
        (
            |r| r.validated_dates[9] = "2025-01-16".to_owned(),
            "InvalidArgument FIELD_INVALID validatedDates[9]",
        ),
        (|r| r.programs = 9, "InvalidArgument FIELD_INVALID programs"),
    ];
    for (change, expected) in rows {
        let mut wrong = good.clone();
        change(&mut wrong);
        is(client.assess_referrals(wrong).await, expected);
    }
    served.stop().await;
}

#[tokio::test]
async fn k_04_k_06_and_k_07_are_answered_or_refused_with_the_field() {
    let served = start().await;
    let client = &served.client;
    let contact = |referred: &str, holidays: &[&str]| {
        let holidays = holidays.iter().map(|&day| day.to_owned()).collect();
        client.referral_contact_date(GetReferralContactDateRequest {
            referred_date: referred.to_owned(),
            holidays,
        })
    };
    assert_eq!(contact("2025-01-10", &[]).await.expect("a day"), "2025-01-15");
    assert_eq!(contact("2025-01-10", &["2025-01-13"]).await.expect("a day"), "2025-01-16");
    is(contact("", &[]).await, "InvalidArgument FIELD_MISSING referredDate");
    is(contact("2025-01-10", &["2025-02-30"]).await, &format!("{INVALID} holidays[0]"));

    let assess = |tier| client.assess_tier(AssessTierRequest { tier });
    let select = |business_accredited, technical_accredited| {
        Some(Tier::Select(SelectTier { business_accredited, technical_accredited }))
    };
    assert!(assess(select(2, 2)).await.expect("an answer").met);
    assert!(!assess(select(3, 1)).await.expect("an answer").met);
    for (months_all_met, met) in [(5, false), (6, true)] {
        let tier = Some(Tier::Premier(PremierTier { months_all_met }));
        assert_eq!(assess(tier).await.expect("an answer").met, met);
    }
    is(assess(None).await, "InvalidArgument FIELD_MISSING tier");

    assert_eq!(client.tier_review_date("2019-04-01").await.expect("a day"), "2019-12-13");
    assert_eq!(client.tier_review_date("2020-06-30").await.expect("a day"), "2020-06-30");
    is(client.tier_review_date("2020-06-31").await, &format!("{INVALID} renewalDate"));
    served.stop().await;
}
