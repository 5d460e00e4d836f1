//! The safety of each call: whether it may be sent again when its answer got lost.
//!
//! A call whose answer is lost may have been carried out. Sending it again is harmless for a read, and for a
//! write that ends in the same state however often it is done. It is wrong for everything that buys, prices,
//! publishes or turns a clock by an amount. The client repeats the first kind by itself and never the second.

use std::fmt;

/// Whether a call may be repeated without the caller's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// Doing it twice is as good as doing it once: the client repeats it.
    Repeat,
    /// The caller goes on from the first message that was not answered; the client does not keep messages.
    Resume,
    /// Doing it twice is something else than doing it once, or looks so: the client sends it once.
    Once,
}

/// Declares [`Call`] and its table: variant, service and method, safety, reason.
macro_rules! calls {
    ($($variant:ident $service:literal $method:literal $safety:ident $reason:literal;)*) => {
        /// A call of the contract, as far as the client treats it in its own way.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Call {
            $(#[doc = concat!("`", $service, "/", $method, "`: ", $reason, ".")] $variant,)*
        }

        impl Call {
            /// All calls, in the order of the table.
            pub const ALL: &[Call] = &[$(Call::$variant),*];

            /// The full name of the service.
            #[must_use]
            pub const fn service(self) -> &'static str {
                match self { $(Call::$variant => $service,)* }
            }

            /// The name of the method.
            #[must_use]
            pub const fn method(self) -> &'static str {
                match self { $(Call::$variant => $method,)* }
            }

            /// Whether the call may be repeated.
            #[must_use]
            pub const fn safety(self) -> Safety {
                match self { $(Call::$variant => Safety::$safety,)* }
            }

            /// Why.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $(Call::$variant => $reason,)* }
            }
        }
    };
}

calls! {
    PutSandbox "souk.sandbox.v1.SandboxService" "PutSandbox" Repeat
        "the document decides everything, and nobody was told yet that the sandbox is there";
    GetSandbox "souk.sandbox.v1.SandboxService" "GetSandbox" Repeat "reads";
    ListSandboxes "souk.sandbox.v1.SandboxService" "ListSandboxes" Repeat "reads";
    DeleteSandbox "souk.sandbox.v1.SandboxService" "DeleteSandbox" Once
        "a repeat finds nothing, or a sandbox that was made anew in between";
    GetClock "souk.sandbox.v1.SandboxService" "GetClock" Repeat "reads";
    SetClock "souk.sandbox.v1.SandboxService" "SetClock" Repeat
        "the time it names, or following, is the same however often it is set";
    AdvanceClockBy "souk.sandbox.v1.SandboxService" "AdvanceClock" Once
        "each repeat would turn the clock further";
    AdvanceClockTo "souk.sandbox.v1.SandboxService" "AdvanceClock" Repeat
        "a clock that stands at the time stays there";
    ListEvents "souk.sandbox.v1.SandboxService" "ListEvents" Repeat "reads";
    PutAccount "souk.account.v1.AccountService" "PutAccount" Repeat
        "the account ends as the message says";
    GetAccount "souk.account.v1.AccountService" "GetAccount" Repeat "reads";
    ListAccounts "souk.account.v1.AccountService" "ListAccounts" Repeat "reads";
    CreateProduct "souk.catalog.v1.CatalogService" "CreateProduct" Once
        "a repeat is refused because the product is there, and would hide a success";
    AddDimensions "souk.catalog.v1.CatalogService" "AddDimensions" Once
        "a repeat is refused because the dimensions are there, and would hide a success";
    GetProduct "souk.catalog.v1.CatalogService" "GetProduct" Repeat "reads";
    ListProducts "souk.catalog.v1.CatalogService" "ListProducts" Repeat "reads";
    CreateResaleAuthorization "souk.catalog.v1.CatalogService" "CreateResaleAuthorization" Once
        "an authorization without an id is numbered, so a repeat could grant a second one";
    RestrictResaleAuthorization "souk.catalog.v1.CatalogService" "RestrictResaleAuthorization" Once
        "a repeat is refused because it is restricted, and would hide a success";
    ListResaleAuthorizations "souk.catalog.v1.CatalogService" "ListResaleAuthorizations" Repeat "reads";
    CreateOffer "souk.catalog.v1.CatalogService" "CreateOffer" Once
        "an offer without an id is numbered, so a repeat could release a second one";
    GetOffer "souk.catalog.v1.CatalogService" "GetOffer" Repeat "reads";
    ListOffers "souk.catalog.v1.CatalogService" "ListOffers" Repeat "reads";
    ChangePrices "souk.catalog.v1.CatalogService" "ChangePrices" Once
        "each change is a notice of its own to the subscribers";
    AcceptOffer "souk.agreement.v1.AgreementService" "AcceptOffer" Once
        "a repeat could make a second agreement and invoice it";
    AddAnnualSubscription "souk.agreement.v1.AgreementService" "AddAnnualSubscription" Once
        "each call buys and invoices";
    AmendAgreement "souk.agreement.v1.AgreementService" "AmendAgreement" Once
        "a repeat is refused because nothing changes any more, and would hide a success";
    RefundPurchase "souk.agreement.v1.AgreementService" "RefundPurchase" Once
        "a repeat is refused because the purchase ended, and would hide a success";
    CancelAgreement "souk.agreement.v1.AgreementService" "CancelAgreement" Once
        "a repeat is refused because the agreement ended, and would hide a success";
    GetAgreement "souk.agreement.v1.AgreementService" "GetAgreement" Repeat "reads";
    ListAgreements "souk.agreement.v1.AgreementService" "ListAgreements" Repeat "reads";
    ListEntitlements "souk.agreement.v1.AgreementService" "ListEntitlements" Repeat "reads";
    CreateRegistrationToken "souk.agreement.v1.AgreementService" "CreateRegistrationToken" Repeat
        "nothing is stored, and every token of an agreement is as good as another";
    SetFaults "souk.fault.v1.FaultService" "SetFaults" Repeat
        "the rules end as the message says";
    ListFaults "souk.fault.v1.FaultService" "ListFaults" Repeat "reads";
    ListInvoices "souk.billing.v1.BillingService" "ListInvoices" Repeat "reads";
    GetInvoice "souk.billing.v1.BillingService" "GetInvoice" Repeat "reads";
    ExplainInvoiceLine "souk.billing.v1.BillingService" "ExplainInvoiceLine" Repeat "reads";
    AdjustInvoices "souk.billing.v1.BillingService" "AdjustInvoices" Repeat
        "its client token makes each adjustment once";
    PayInvoice "souk.billing.v1.BillingService" "PayInvoice" Once
        "a repeat is refused because the invoice is paid, and would hide a success";
    PreviewInvoices "souk.billing.v1.BillingService" "PreviewInvoices" Repeat "reads";
    BatchMeterUsage "souk.metering.v1.MeteringService" "BatchMeterUsage" Repeat
        "the first record of an hour stands and a repeat gets its id";
    StreamUsage "souk.metering.v1.MeteringService" "StreamUsage" Resume
        "records are deduplicated, so messages without an answer may be sent again";
    StreamColumns "souk.metering.v1.UsageColumnsService" "StreamColumns" Repeat
        "rows are deduplicated, so the client opens the stream again and sends what was not answered";
    ReportInstanceHours "souk.metering.v1.MeteringService" "ReportInstanceHours" Repeat
        "the first report of an hour stands and a repeat gets its id";
    MeterRuns "souk.metering.v1.MeteringService" "MeterRuns" Repeat
        "the same run counts once and a repeat gets its id";
    MeterInferences "souk.metering.v1.MeteringService" "MeterInferences" Repeat
        "the same call counts once and a repeat gets its id";
    ListMeteredRecords "souk.metering.v1.MeteringService" "ListMeteredRecords" Repeat "reads";
    ListRefusedRecords "souk.metering.v1.MeteringService" "ListRefusedRecords" Repeat "reads";
    DecideActivateCredits "souk.partner.v1.PartnerProgramService" "DecideActivateCredits" Repeat
        "nothing is stored";
    AssessReferrals "souk.partner.v1.PartnerProgramService" "AssessReferrals" Repeat "nothing is stored";
    GetReferralContactDate "souk.partner.v1.PartnerProgramService" "GetReferralContactDate" Repeat
        "nothing is stored";
    AssessTier "souk.partner.v1.PartnerProgramService" "AssessTier" Repeat "nothing is stored";
    GetTierReviewDate "souk.partner.v1.PartnerProgramService" "GetTierReviewDate" Repeat "nothing is stored";
    ListReports "souk.reporting.v1.ReportingService" "ListReports" Repeat "reads";
    StreamReport "souk.reporting.v1.ReportingService" "StreamReport" Repeat
        "reads; repeated only until the first message is there";
    ExportReport "souk.reporting.v1.ReportingService" "ExportReport" Repeat
        "reads; repeated only until the first message is there";
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.method())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost_reflect::DescriptorPool;

    use super::*;

    #[test]
    fn every_method_of_the_contract_is_in_the_table() {
        let pool = DescriptorPool::decode(souk_proto::FILE_DESCRIPTOR_SET).unwrap();
        let contract: BTreeSet<String> = pool
            .services()
            .flat_map(|service| {
                service.methods().map(|method| method.full_name().to_owned()).collect::<Vec<_>>()
            })
            .collect();
        let table: BTreeSet<String> =
            Call::ALL.iter().map(|call| format!("{}.{}", call.service(), call.method())).collect();
        assert_eq!(table, contract);
    }

    #[test]
    fn what_buys_prices_publishes_or_turns_by_an_amount_is_sent_once() {
        let once: Vec<&str> =
            Call::ALL.iter().filter(|call| call.safety() == Safety::Once).map(|call| call.method()).collect();
        assert_eq!(
            once,
            [
                "DeleteSandbox",
                "AdvanceClock",
                "CreateProduct",
                "AddDimensions",
                "CreateResaleAuthorization",
                "RestrictResaleAuthorization",
                "CreateOffer",
                "ChangePrices",
                "AcceptOffer",
                "AddAnnualSubscription",
                "AmendAgreement",
                "RefundPurchase",
                "CancelAgreement",
                "PayInvoice",
            ]
        );
    }

    #[test]
    fn every_get_list_explain_and_preview_is_repeated() {
        let reads = ["Get", "List", "Explain", "Preview"];
        for call in Call::ALL {
            if reads.iter().any(|read| call.method().starts_with(read)) {
                assert_eq!(call.safety(), Safety::Repeat, "{call}");
            }
        }
    }
}
