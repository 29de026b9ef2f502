//! `check_proofs`, `review_proofs` and `check_transfers`: proofs of transfer (rule P8).

use isp_core::Money;
use isp_core::protection::proof::{OtherPayment, Proof, ProofFile, ReviewKind, check_review, money_is_new};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Kind, Place, Value, Writer};
use crate::decide::refusal;

pub(crate) const VERDICTS: [(&str, ReviewKind); 3] =
    [("accepted", ReviewKind::Accepted), ("rejected", ReviewKind::Rejected), ("taken_back", ReviewKind::TakenBack)];

/// What is known of the files of proofs of transfer (*bukti transfer*), and over how much each is: an ``InvalidValue`` in the
/// place of one that cannot be kept.
///
/// What a file is follows from its first bytes and never from its name. ``owed`` is what is open of the invoices that it is for;
/// ``amount`` is what the customer says, or ``None`` for all of it; ``waiting`` is how many of the customer wait already. Who
/// is ``sure`` of an odd amount is not asked.
#[pyfunction]
pub(crate) fn check_proofs<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::ProofWish)?;
        let (name, content) = (fields.take()?.string()?, fields.take()?.bytes()?);
        let owed = fields.take()?.money_from_zero()?;
        let amount: Option<Money> = fields.take()?.optional().map(|v| v.money()).transpose()?;
        let waiting: u32 = fields.take()?.int(0, i64::from(u32::MAX))?;
        let sure = fields.take()?.bool()?;
        let looked = ProofFile::of(&name, &content).map_err(|error| (error, "content"));
        Ok(looked.and_then(|file| {
            let amount = Proof::admit(amount, owed, waiting as usize, sure).map_err(|error| (error, "amount"))?;
            Ok((file, amount))
        }))
    })?;
    let mut writer = Writer::new(py)?;
    let mut answer = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        answer.push(match row {
            Err((error, field)) => refusal(py, error, Place::nth_row(index).then(field)),
            Ok((file, amount)) => {
                let fields = [
                    writer.text(&file.name),
                    writer.word(file.kind.code()),
                    writer.word(file.kind.media_type()),
                    writer.int(i64::from(file.size))?,
                    writer.text(&file.sha256),
                    writer.money(amount)?,
                ];
                writer.record(Kind::ProofFile, fields)?
            }
        });
    }
    PyList::new(py, answer)
}

/// Whether each proof may be reviewed so: ``None``, or an ``InvalidValue`` that says why not. It was ``reviewed`` before, or it is
/// not said by whom or, for one that is not accepted, why.
#[pyfunction]
pub(crate) fn review_proofs<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::ReviewWish)?;
        let verdict = fields.take()?.word(&VERDICTS)?;
        let (by, reason) = (fields.take()?.string()?, fields.take()?.string()?);
        Ok(check_review(verdict, &by, &reason, fields.take()?.bool()?))
    })?;
    let writer = Writer::new(py)?;
    let answer = rows.into_iter().enumerate().map(|(index, checked)| match checked {
        Ok(()) => writer.none(),
        Err(error) => {
            let field = if let isp_core::Error::Empty { field } = error { field } else { "reviewed" };
            refusal(py, error, Place::nth_row(index).then(field))
        }
    });
    PyList::new(py, answer.collect::<Vec<_>>())
}

/// Whether the money of each proof that is accepted is new: ``None``, or an ``InvalidValue`` that says which payment may be this very
/// transfer (``proof.booked``), or that nothing is open of its invoices (``proof.settled``).
///
/// ``open`` is what is still open of the proof's invoices; ``others`` are the customer's payments in money that stand and belong to
/// no proof. Not to be asked for a payment that is known by its reference, or where somebody insists.
#[pyfunction]
pub(crate) fn check_transfers<'py>(wishes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let py = wishes.py();
    let rows = Value::argument("wishes", wishes)?.rows(|_, row| {
        let fields = row.record(Kind::TransferWish)?;
        let (amount, paid_at) = (fields.take()?.money()?, fields.take()?.moment()?);
        let open = fields.take()?.money_from_zero()?;
        let others = fields.take()?.each(|_, other| {
            let fields = other.record(Kind::OtherPayment)?;
            let (name, amount) = (fields.take()?.string()?, fields.take()?.money()?);
            Ok(OtherPayment { name, amount, paid_at: fields.take()?.moment()? })
        })?;
        Ok(money_is_new(amount, paid_at, open, &others))
    })?;
    let writer = Writer::new(py)?;
    let answer = rows.into_iter().enumerate().map(|(index, checked)| match checked {
        Ok(()) => writer.none(),
        Err(error) => refusal(py, error, Place::nth_row(index).then("amount")),
    });
    PyList::new(py, answer.collect::<Vec<_>>())
}
