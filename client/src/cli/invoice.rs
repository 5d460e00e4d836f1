//! `souk invoice`: invoices and their explanations.

use clap::Subcommand;
use souk_client::InvoiceFilter;

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
