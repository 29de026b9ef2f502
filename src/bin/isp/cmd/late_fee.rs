//! `isp late-fee`: late fees before they are charged.

use clap::Subcommand;
use isp_core::billing::invoice::display_number;

use super::find;
use crate::context::Context;
use crate::failure::Exit;
use crate::output::{Cell, Rows, column, number};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The fees that `bill` will charge, and on which day; a payment before that day spares it.
    #[command(
        after_help = "Example:\n  isp late-fee list\n\n[policy.late_fee] says after how many days, and how much."
    )]
    List,
}

pub(crate) async fn run(ctx: &Context, command: Command) -> anyhow::Result<Exit> {
    let Command::List = command;
    let store = ctx.store().await?;
    let fees = ctx.engine(store).late_fees(ctx.now).await?;
    let codes = find::codes(ctx, store, fees.iter().map(|f| f.invoice.customer_id)).await?;
    let mut rows = Rows::new(&[
        column("date"),
        column("customer"),
        column("invoice"),
        column("due"),
        number("open"),
        number("late_fee"),
        number("ppn"),
        number("total"),
    ]);
    let policy = ctx.config.policy.late_fee;
    for fee in fees {
        let of = &fee.invoice;
        let (billing, tax) = (&ctx.config.policy.billing, &ctx.config.policy.tax);
        let charged = policy.map(|policy| fee.invoice(&policy, billing, tax, ctx.today())).transpose()?;
        rows.push(vec![
            fee.on.into(),
            Cell::maybe(codes.get(&of.customer_id)),
            Cell::text(display_number(of.number, of.issue_date)),
            of.due_date.into(),
            of.residual().into(),
            fee.amount.into(),
            charged.as_ref().map_or(Cell::Empty, |invoice| invoice.ppn.into()),
            charged.as_ref().map_or(Cell::Empty, |invoice| invoice.total.into()),
        ]);
    }
    ctx.rows(&rows)?;
    Ok(Exit::Done)
}
