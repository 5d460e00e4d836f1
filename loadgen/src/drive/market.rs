//! What is done with the market besides metering: it is made, its clock is turned, its invoices are read.

use anyhow::Context;
use souk_client::proto::billing::v1::Invoice;
use souk_client::proto::sandbox::v1::advance_clock_request::Target;
use souk_client::proto::sandbox::v1::put_sandbox_request::Source;
use souk_client::{ClientError, InvoiceFilter, SoukClient};
use tokio::task::JoinSet;

use super::line::Lines;
use crate::plan::Plan;
use crate::plan::document::{Acceptance, end_of};

/// Calls that are made at the same time.
const CALLS: usize = 64;

/// Makes the sandbox; its clock then stands at the end of the first month, which is still open.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub async fn make(client: &SoukClient, plan: &Plan) -> anyhow::Result<()> {
    let document = Source::Document(plan.document());
    client.put_sandbox(&plan.sandbox, document).await.context("failed to make the sandbox")?;
    accept_all(client, plan, plan.accepted_by_calls()).await?;
    let changing = plan.accepted_at_the_changeover();
    if !changing.is_empty() {
        turn(client, plan, plan.changeover_time()).await.context("failed to turn the clock")?;
        accept_all(client, plan, changing).await?;
    }
    let first = plan.calendar.months.first().context("the plan has no month")?;
    turn(client, plan, end_of(first.month)).await.context("failed to turn the clock")?;
    Ok(())
}

async fn accept_all(client: &SoukClient, plan: &Plan, acceptances: Vec<Acceptance>) -> anyhow::Result<()> {
    let mut calls = JoinSet::new();
    for Acceptance { offer, buyer } in acceptances {
        if calls.len() == CALLS
            && let Some(done) = calls.join_next().await
        {
            done.context("a call failed")??;
        }
        let (client, sandbox) = (client.clone(), plan.sandbox.clone());
        calls.spawn(async move {
            let accepted = client.accept_offer(&sandbox, &offer, &buyer, None).await;
            accepted.map(|_| ()).with_context(|| format!("{buyer} failed to accept {offer}"))
        });
    }
    while let Some(done) = calls.join_next().await {
        done.context("a call failed")??;
    }
    Ok(())
}

async fn turn(client: &SoukClient, plan: &Plan, to: prost_types::Timestamp) -> Result<(), ClientError> {
    client.advance_clock(&plan.sandbox, Target::To(to)).await.map(|_| ())
}

/// Turns the clock, as often as the server is killed meanwhile: a repeat finds done what was done.
///
/// # Errors
/// When the server refuses, or cannot be reached and is not started again.
pub async fn turn_surely(lines: &Lines, plan: &Plan, to: prost_types::Timestamp) -> anyhow::Result<()> {
    let mut line = lines.now();
    loop {
        match turn(&line.client, plan, to).await {
            Ok(()) => return Ok(()),
            Err(refused @ ClientError::Refused(_)) if !lines.may_break => {
                return Err(refused).context("failed to turn the clock");
            }
            Err(error) => line = lines.after(line.generation, &error.to_string()).await?,
        }
    }
}

/// All invoices with their lines.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub async fn invoices(client: &SoukClient, plan: &Plan) -> anyhow::Result<Vec<Invoice>> {
    let listed = client.all_invoices(&plan.sandbox, &InvoiceFilter::default()).await;
    let mut ids =
        listed.context("failed to list the invoices")?.into_iter().map(|invoice| invoice.invoice_id);
    let (mut calls, mut invoices) = (JoinSet::new(), Vec::new());
    loop {
        while calls.len() < CALLS
            && let Some(id) = ids.next()
        {
            let (client, sandbox) = (client.clone(), plan.sandbox.clone());
            calls.spawn(async move { client.get_invoice(&sandbox, &id).await });
        }
        let Some(done) = calls.join_next().await else { return Ok(invoices) };
        invoices.push(done.context("a call failed")?.context("failed to read an invoice")?);
    }
}
