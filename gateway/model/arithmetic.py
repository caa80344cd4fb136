"""Sums that EN 16931 demands, checked on what a source sent. A mismatch is a warning, never a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import reduce

from gateway.model.record import DataWarning, DataWarningCode
from gateway.model.values import Line, Money, Totals

_ZERO = Decimal(0)
_add = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN).add  # exact, however many digits came


def check_totals(totals: Totals, *, rounding_in_total: bool = False, vat_is_derived: bool = False) -> tuple[DataWarning, ...]:
    """Check BR-CO-15, BT-112 = BT-109 + BT-110, exactly.

    `rounding_in_total`: the source's figure including VAT has the rounding (BT-114) in it already. `vat_is_derived`: the VAT was
    computed from the other two, so that the rule holds by construction; then a VAT whose sign is opposite to the amount without
    VAT is the mismatch.
    """
    if totals.incl_vat is None or totals.excl_vat is None or totals.vat is None:
        return ()
    excl, vat, incl = totals.excl_vat.amount, totals.vat.amount, totals.incl_vat.amount
    if vat_is_derived:
        if excl * vat < _ZERO:
            return (_mismatch(f"BR-CO-15: {_plain(incl)} including VAT against {_plain(excl)} without", "totals", "vat"),)
        return ()
    rounding = totals.rounding.amount if rounding_in_total and totals.rounding is not None else _ZERO
    if _sum((excl, vat, rounding)) != incl:
        return (_mismatch(f"BR-CO-15: {_plain(excl)} + VAT {_plain(vat)} is not {_plain(incl)}", "totals", "inclVat"),)
    return ()


def check_lines(totals: Totals, lines: Iterable[Line], charges: Iterable[Money] = ()) -> tuple[DataWarning, ...]:
    """Check BR-CO-13, BT-109 = sum of BT-131 + charges, and BR-CO-14, BT-110 = sum of the lines' VAT; where all sides are known.

    A source that does not say whether its lines cover everything must not be checked with this.
    """
    known = tuple(lines)
    found: list[DataWarning] = []
    nets = [line.net_amount.amount for line in known if line.net_amount is not None]
    if totals.excl_vat is not None and known and len(nets) == len(known):
        total = _sum((*nets, *(charge.amount for charge in charges)))
        if total != totals.excl_vat.amount:
            message = f"BR-CO-13: the lines and charges are {_plain(total)}, the invoice says {_plain(totals.excl_vat.amount)}"
            found.append(_mismatch(message, "totals", "exclVat"))
    vats = [line.vat_amount.amount for line in known if line.vat_amount is not None]
    if totals.vat is not None and known and len(vats) == len(known) and _sum(vats) != totals.vat.amount:
        message = f"BR-CO-14: the VAT of the lines is {_plain(_sum(vats))}, the invoice says {_plain(totals.vat.amount)}"
        found.append(_mismatch(message, "totals", "vat"))
    return tuple(found)


def _mismatch(message: str, *field: str) -> DataWarning:
    return DataWarning(DataWarningCode.ARITHMETIC_MISMATCH, message, field)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(_add, amounts, _ZERO)


def _plain(amount: Decimal) -> str:
    return format(amount, "f")
