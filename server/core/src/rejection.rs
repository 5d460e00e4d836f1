//! Why a request is refused: a stable code, the field, and words that say what to do.
//!
//! A decision that refuses changes nothing. The transports map [`Kind`] to their status codes; nothing else
//! does. What AWS reports record by record is not a rejection but data
//! (see [`RecordStatus`](crate::metering::acceptance::RecordStatus)).

use std::fmt;

/// What a caller can do about a rejection; the transports map it to a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong whatever the state: mend it.
    Invalid,
    /// It names something that is not there.
    NotFound,
    /// It makes something that is there already.
    Exists,
    /// The state does not allow it now.
    State,
    /// The caller has no right to it.
    Denied,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal $kind:ident,)*) => {
        /// The stable codes, one for each reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code, in the order of this list.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// What it means, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc,)*).trim_ascii(),)* }
            }

            /// What a caller can do about it.
            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }
        }
    };
}

codes! {
    /// A required field is absent.
    FieldMissing = "FIELD_MISSING" Invalid,
    /// A field does not have the form it must have.
    FieldInvalid = "FIELD_INVALID" Invalid,
    /// The sandbox document cannot be read.
    DocumentInvalid = "DOCUMENT_INVALID" Invalid,
    /// No sandbox of that name.
    SandboxUnknown = "SANDBOX_UNKNOWN" NotFound,
    /// A clock only turns forward.
    ClockBackwards = "CLOCK_BACKWARDS" State,
    /// A clock that follows the machine's cannot be advanced.
    ClockFollowing = "CLOCK_FOLLOWING" State,
    /// No account of that number.
    AccountUnknown = "ACCOUNT_UNKNOWN" NotFound,
    /// An account cannot move to another payer.
    PayerFixed = "PAYER_FIXED" State,
    /// The payer is itself a linked account.
    PayerIsLinked = "PAYER_IS_LINKED" Invalid,
    /// The account has no seller profile.
    NotASeller = "NOT_A_SELLER" State,
    /// A seller with products keeps its seller profile.
    SellerHasProducts = "SELLER_HAS_PRODUCTS" State,
    /// An access key id is used by another account.
    AccessKeyTaken = "ACCESS_KEY_TAKEN" Exists,
    /// No product of that id or code.
    ProductUnknown = "PRODUCT_UNKNOWN" NotFound,
    /// A product of that id or code exists.
    ProductExists = "PRODUCT_EXISTS" Exists,
    /// A product without dimensions.
    DimensionsMissing = "DIMENSIONS_MISSING" Invalid,
    /// More dimensions than the rules allow.
    TooManyDimensions = "TOO_MANY_DIMENSIONS" Invalid,
    /// A dimension key stands twice.
    DimensionExists = "DIMENSION_EXISTS" Exists,
    /// The types of a dimension do not go together, or not with the product.
    DimensionTypesInvalid = "DIMENSION_TYPES_INVALID" Invalid,
    /// A metering product needs exactly one usage category.
    UsageCategoryMissing = "USAGE_CATEGORY_MISSING" Invalid,
    /// The product has no such dimension.
    DimensionUnknown = "DIMENSION_UNKNOWN" Invalid,
    /// No offer of that id.
    OfferUnknown = "OFFER_UNKNOWN" NotFound,
    /// An offer of that id exists.
    OfferExists = "OFFER_EXISTS" Exists,
    /// No resale authorization of that id.
    ResaleAuthorizationUnknown = "RESALE_AUTHORIZATION_UNKNOWN" NotFound,
    /// A resale authorization of that id exists.
    ResaleAuthorizationExists = "RESALE_AUTHORIZATION_EXISTS" Exists,
    /// An authorization that does not let the offer be released (J1).
    ResaleNotAuthorized = "RESALE_NOT_AUTHORIZED" State,
    /// Something that an authorization has no wholesale price of (J1).
    WholesalePriceMissing = "WHOLESALE_PRICE_MISSING" Invalid,
    /// The product has its public offer already.
    PublicOfferExists = "PUBLIC_OFFER_EXISTS" Exists,
    /// A private offer names more buyers than allowed.
    TooManyBuyers = "TOO_MANY_BUYERS" Invalid,
    /// A term that the offer needs is absent.
    TermMissing = "TERM_MISSING" Invalid,
    /// A term stands twice.
    TermDuplicate = "TERM_DUPLICATE" Invalid,
    /// A term that this offer cannot hold.
    TermNotAllowed = "TERM_NOT_ALLOWED" Invalid,
    /// A duration that is not on sale or not allowed.
    DurationNotAllowed = "DURATION_NOT_ALLOWED" Invalid,
    /// A price that is not a price.
    PriceInvalid = "PRICE_INVALID" Invalid,
    /// A currency that offers cannot have.
    CurrencyNotSupported = "CURRENCY_NOT_SUPPORTED" Invalid,
    /// A rate card that leaves a dimension unpriced.
    RateCardIncomplete = "RATE_CARD_INCOMPLETE" Invalid,
    /// Every annual type must also have an hourly price (A3).
    AnnualNeedsHourly = "ANNUAL_NEEDS_HOURLY" Invalid,
    /// A product that sells annual subscriptions sells them for every type (A4).
    HourlyWithoutAnnual = "HOURLY_WITHOUT_ANNUAL_ON_ANNUAL_PRODUCT" Invalid,
    /// An annual price of zero needs an hourly price of zero (A5).
    ZeroAnnualNeedsZeroHourly = "ZERO_ANNUAL_NEEDS_ZERO_HOURLY" Invalid,
    /// An annual price of zero needs another type with a non-zero one (A5).
    NoNonzeroAnnualType = "NO_NONZERO_ANNUAL_TYPE" Invalid,
    /// A product metered by its seller cannot be sold annually (A17).
    MeteringExcludesAnnual = "METERING_EXCLUDES_ANNUAL" Invalid,
    /// An AMI or container product metered by its seller has no free trial (A17).
    MeteringExcludesTrial = "METERING_EXCLUDES_TRIAL" Invalid,
    /// A payment schedule that cannot be kept (B6).
    PaymentScheduleInvalid = "PAYMENT_SCHEDULE_INVALID" Invalid,
    /// Instalments are for buyers who pay by invoice (B6).
    InvoiceTermsNeeded = "INVOICE_TERMS_NEEDED" State,
    /// More documents than an offer may hold (B9).
    TooManyDocuments = "TOO_MANY_DOCUMENTS" Invalid,
    /// A product that is sold by private offers only (B20).
    PrivateOffersOnly = "PRIVATE_OFFERS_ONLY" Invalid,
    /// Prices of a private offer never change.
    PricesFixed = "PRICES_FIXED" State,
    /// The annual price changed less than 90 days ago (A8).
    PriceChangeTooSoon = "PRICE_CHANGE_TOO_SOON" State,
    /// Instance types stay as they are while an annual price change has notice (A11).
    TypesFrozen = "TYPES_FROZEN" State,
    /// The accept-by date has passed.
    OfferExpired = "OFFER_EXPIRED" State,
    /// A private offer that was just released has not come to its buyers (B16).
    OfferNotPropagated = "OFFER_NOT_PROPAGATED" State,
    /// The offer is for other accounts.
    OfferNotForBuyer = "OFFER_NOT_FOR_BUYER" Denied,
    /// The buyer holds a live agreement that this one cannot stand beside.
    AlreadySubscribed = "ALREADY_SUBSCRIBED" Exists,
    /// What the buyer chose cannot be bought on this offer.
    ConfigurationInvalid = "CONFIGURATION_INVALID" Invalid,
    /// An agreement that begins before the one that the buyer holds has ended (E3).
    AgreementsOverlap = "AGREEMENTS_OVERLAP" State,
    /// An amendment that takes units of a contract away (B19).
    AmendmentDecreases = "AMENDMENT_DECREASES" Invalid,
    /// An amendment that would give back more than it charges (A12).
    AmendmentNetNegative = "AMENDMENT_NET_NEGATIVE" Invalid,
    /// What was bought like this is not amended (P9).
    AmendmentNotAllowed = "AMENDMENT_NOT_ALLOWED" State,
    /// The offer holds no renewal term.
    RenewalNotOffered = "RENEWAL_NOT_OFFERED" Invalid,
    /// No agreement of that id.
    AgreementUnknown = "AGREEMENT_UNKNOWN" NotFound,
    /// The agreement has ended.
    AgreementNotActive = "AGREEMENT_NOT_ACTIVE" State,
    /// More records than a request may hold.
    TooManyRecords = "TOO_MANY_RECORDS" Invalid,
    /// A quantity that is not a quantity.
    QuantityInvalid = "QUANTITY_INVALID" Invalid,
    /// A record names no customer, or more than one.
    CustomerMissing = "CUSTOMER_MISSING" Invalid,
    /// A customer identifier that the seller never got.
    CustomerIdentifierUnknown = "CUSTOMER_IDENTIFIER_UNKNOWN" Invalid,
    /// A licence that is unknown, of another product, or not live at the record's time.
    LicenseInvalid = "LICENSE_INVALID" Invalid,
    /// A record too old, in the future, or of a closed month.
    TimestampOutOfBounds = "TIMESTAMP_OUT_OF_BOUNDS" Invalid,
    /// Columns that do not have as many rows as each other, or are given twice.
    ColumnsInvalid = "COLUMNS_INVALID" Invalid,
    /// A handle that this stream does not have, or has no more.
    SeriesHandleUnknown = "SERIES_HANDLE_UNKNOWN" Invalid,
    /// More series than a stream has handles for.
    TooManySeries = "TOO_MANY_SERIES" Invalid,
    /// A message on a stream that was not opened, or was opened already.
    StreamNotOpen = "STREAM_NOT_OPEN" State,
    /// Allocations that do not add up to their record's quantity, or not of its kind, too many of them, or two
    /// with the same tags.
    UsageAllocationsInvalid = "USAGE_ALLOCATIONS_INVALID" Invalid,
    /// Too many tags, or one that is not a tag.
    TagInvalid = "TAG_INVALID" Invalid,
    /// A client token that named a call with other parameters.
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT" State,
    /// No invoice of that id.
    InvoiceUnknown = "INVOICE_UNKNOWN" NotFound,
    /// The invoice has no such line.
    LineUnknown = "LINE_UNKNOWN" NotFound,
    /// An adjustment that is not an amount above 0 (I2).
    AdjustmentAmountInvalid = "INVALID_ADJUSTMENT_AMOUNT" Invalid,
    /// An adjustment of more than is left of what was charged (I2).
    AdjustmentTooHigh = "EXCEEDED_MAXIMUM_ADJUSTMENT_AMOUNT" Invalid,
    /// More adjustments than a request may hold (I2).
    TooManyAdjustments = "TOO_MANY_ADJUSTMENTS" Invalid,
    /// An invoice that cannot be adjusted.
    AdjustmentNotAllowed = "ADJUSTMENT_NOT_ALLOWED" State,
    /// A purchase whose buyer cannot give it back, or no longer (I3).
    RefundNotAllowed = "REFUND_NOT_ALLOWED" State,
    /// An invoice is paid once; a card pays at once.
    InvoicePaid = "INVOICE_PAID" State,
    /// Nothing is paid of a credit memo.
    InvoiceNotPayable = "INVOICE_NOT_PAYABLE" State,
    /// The month is not closed yet.
    MonthNotClosed = "MONTH_NOT_CLOSED" State,
    /// The day on which a daily report is made has not begun.
    ReportNotMade = "REPORT_NOT_MADE" State,
    /// The month is closed.
    MonthClosed = "MONTH_CLOSED" State,
    /// A page token that no answer gave.
    PageTokenInvalid = "PAGE_TOKEN_INVALID" Invalid,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The stable code.
    pub code: Code,
    /// The path of the field that is wrong, in the request's words; empty when it is no single field.
    pub field: String,
    /// What is wrong, with the value and the limit, and what to do.
    pub message: String,
}

impl Rejection {
    /// Refuses for one reason.
    pub fn new(code: Code, field: impl Into<String>, message: impl Into<String>) -> Rejection {
        Rejection { code, field: field.into(), message: message.into() }
    }

    /// The same refusal seen from the message around it: `within("offers[0]")` makes `offers[0].terms`.
    #[must_use]
    pub fn within(mut self, path: &str) -> Rejection {
        self.field = match self.field.is_empty() {
            true => path.to_owned(),
            false => format!("{path}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.is_empty() {
            true => write!(f, "{}: {}", self.code.as_str(), self.message),
            false => write!(f, "{}: {}: {}", self.code.as_str(), self.field, self.message),
        }
    }
}

impl std::error::Error for Rejection {}

/// An invariant of the state that does not hold: a defect of Souk, never of a request. Nothing may be
/// computed from such a state; the partition stops and says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken invariant: {0}")]
pub struct Broken(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_stable_in_form() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} stands twice", code.as_str());
            assert!(code.as_str().chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        }
    }

    #[test]
    fn a_rejection_grows_its_path_from_the_inside() {
        let inner = Rejection::new(Code::PriceInvalid, "rateCard[users]", "no price");
        assert_eq!(
            inner.within("offers[0]").to_string(),
            "PRICE_INVALID: offers[0].rateCard[users]: no price"
        );
    }
}
