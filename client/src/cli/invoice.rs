//! `souk invoice`: invoices and their explanations.

use clap::{Subcommand, ValueEnum};
use souk_client::InvoiceFilter;
use souk_proto::billing::v1::{Adjustment, AdjustmentReason};

use super::error::CliError;
use super::session::Session;
use super::{invoice_view, time};

#[derive(Debug, Subcommand)]
pub enum InvoiceCommand {
    /// Lists invoices, oldest first within a payer.
    #[command(after_help = "Examples:
  souk invoice list
  souk invoice list --payer 333333333333 --month 2026-03")]
    List {
        /// Only of this payer.
        #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true)]
        payer: String,
        /// Only of this month.
        #[arg(long, value_name = "YYYY-MM", value_parser = time::parse_month)]
        month: Option<String>,
    },
    /// Shows an invoice: its lines, and for each the hours, prices and cover behind it.
    #[command(after_help = "Example:
  souk invoice show inv-1")]
    Show {
        /// The invoice.
        invoice: String,
    },
    /// Explains a line hour by hour, down to the metering records.
    #[command(after_help = "Examples:
  souk invoice explain inv-1 2
  souk invoice explain inv-1 2 --output csv")]
    Explain {
        /// The invoice.
        invoice: String,
        /// The number of the line.
        line: u32,
    },
    /// Gives back what an invoice charged, as its seller: a credit memo is issued.
    #[command(after_help = "Examples:
  souk invoice refund inv-1 --agreement agmt-1 --amount 100.00 --reason incorrect-metering
  souk invoice refund inv-1 --agreement agmt-1 --amount 9.99 --reason other --description as-agreed

The same refund twice is made once: give another --token for a second one of the same amount.")]
    Refund {
        /// The invoice.
        invoice: String,
        /// The agreement whose charges are given back.
        #[arg(long)]
        agreement: String,
        /// How much, before taxes.
        #[arg(long)]
        amount: String,
        /// ISO 4217: the currency of the invoice.
        #[arg(long, default_value = "USD")]
        currency: String,
        /// Why.
        #[arg(long, value_enum)]
        reason: Reason,
        /// Longer words.
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// What the refund is called; made from the rest when absent.
        #[arg(long)]
        token: Option<String>,
    },
    /// Pays an invoice whole, as a payer by invoice: less what was given back of it before.
    #[command(after_help = "Example:
  souk invoice pay inv-1")]
    Pay {
        /// The invoice.
        invoice: String,
    },
    /// Shows what a payer would be invoiced if an open month closed with no further usage.
    #[command(after_help = "Examples:
  souk invoice preview 333333333333
  souk invoice preview 333333333333 --month 2026-03")]
    Preview {
        /// The payer.
        payer: String,
        /// An open month; that of the sandbox's clock when absent.
        #[arg(long, value_name = "YYYY-MM", value_parser = time::parse_month)]
        month: Option<String>,
    },
}

/// Why a seller gives something back, as AWS names it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Reason {
    IncorrectTermsAccepted,
    IncorrectMetering,
    TestEnvironmentCharges,
    AlternativeProcurementChannel,
    UnintendedRenewal,
    BuyerDissatisfaction,
    Other,
}

impl Reason {
    fn code(self) -> AdjustmentReason {
        match self {
            Reason::IncorrectTermsAccepted => AdjustmentReason::IncorrectTermsAccepted,
            Reason::IncorrectMetering => AdjustmentReason::IncorrectMetering,
            Reason::TestEnvironmentCharges => AdjustmentReason::TestEnvironmentCharges,
            Reason::AlternativeProcurementChannel => AdjustmentReason::AlternativeProcurementChannel,
            Reason::UnintendedRenewal => AdjustmentReason::UnintendedRenewal,
            Reason::BuyerDissatisfaction => AdjustmentReason::BuyerDissatisfaction,
            Reason::Other => AdjustmentReason::Other,
        }
    }
}

impl InvoiceCommand {
    pub async fn run(self, session: &mut Session<'_>) -> Result<(), CliError> {
        let sandbox = session.sandbox.clone();
        let client = session.connect().await?;
        let view = match self {
            InvoiceCommand::List { payer, month } => {
                let filter =
                    InvoiceFilter { payer_account_id: payer, billing_period: month.unwrap_or_default() };
                invoice_view::list(&client.all_invoices(&sandbox, &filter).await?)?
            }
            InvoiceCommand::Show { invoice } => {
                invoice_view::whole(&client.get_invoice(&sandbox, &invoice).await?)?
            }
            InvoiceCommand::Explain { invoice, line } => {
                invoice_view::explained(client.explain_whole_line(&sandbox, &invoice, line).await?)?
            }
            InvoiceCommand::Refund { invoice, agreement, amount, currency, reason, description, token } => {
                let made = || format!("{invoice} {amount} {}", reason.code().as_str_name().to_lowercase());
                let adjustment = Adjustment {
                    client_token: token.unwrap_or_else(|| made().chars().take(64).collect()),
                    original_invoice_id: invoice,
                    agreement_id: agreement,
                    adjustment_amount: amount,
                    currency_code: currency,
                    adjustment_reason_code: reason.code().into(),
                    description,
                };
                let memos = client.adjust_invoices(&sandbox, vec![adjustment]).await?;
                invoice_view::list(&memos)?
            }
            InvoiceCommand::Pay { invoice } => {
                invoice_view::whole(&client.pay_invoice(&sandbox, &invoice).await?)?
            }
            InvoiceCommand::Preview { payer, month } => {
                let invoices = client.preview_invoices(&sandbox, &payer, month.as_deref()).await?;
                if invoices.is_empty() {
                    session.note("nothing would be invoiced");
                }
                invoice_view::previewed(&invoices)?
            }
        };
        session.show(&view)
    }
}
